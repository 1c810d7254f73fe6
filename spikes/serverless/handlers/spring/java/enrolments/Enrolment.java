package enrolments;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.FetchType;
import jakarta.persistence.Id;
import jakarta.persistence.ManyToOne;
import java.math.BigDecimal;
import java.time.LocalDate;

@Entity
public class Enrolment {
    @Id
    @Column(length = 36)
    private String id;

    @Column(nullable = false, length = 40)
    private String course;

    @Column(nullable = false)
    private LocalDate starts;

    @ManyToOne(fetch = FetchType.LAZY, optional = false)
    private Participant participant;

    @Column(nullable = false, precision = 8, scale = 2)
    private BigDecimal fee;

    protected Enrolment() {}

    Enrolment(
            String id, String course, LocalDate starts, Participant participant, BigDecimal fee) {
        this.id = id;
        this.course = course;
        this.starts = starts;
        this.participant = participant;
        this.fee = fee;
    }

    public String getId() {
        return id;
    }

    public String getCourse() {
        return course;
    }

    public LocalDate getStarts() {
        return starts;
    }

    public Participant getParticipant() {
        return participant;
    }

    public BigDecimal getFee() {
        return fee;
    }
}
