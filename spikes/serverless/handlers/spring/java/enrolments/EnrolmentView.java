package enrolments;

import java.math.BigDecimal;
import java.time.LocalDate;

/** An enrolment as clients see it. */
public record EnrolmentView(
        String id, String course, LocalDate starts, String name, String email, BigDecimal fee) {

    static EnrolmentView of(Enrolment enrolment) {
        Participant participant = enrolment.getParticipant();
        return new EnrolmentView(
                enrolment.getId(),
                enrolment.getCourse(),
                enrolment.getStarts(),
                participant.getName(),
                participant.getEmail(),
                enrolment.getFee());
    }
}
