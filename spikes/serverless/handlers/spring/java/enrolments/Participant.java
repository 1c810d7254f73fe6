package enrolments;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;

@Entity
public class Participant {
    @Id
    @Column(length = 200)
    private String email;

    @Column(nullable = false, length = 100)
    private String name;

    protected Participant() {}

    Participant(String email, String name) {
        this.email = email;
        this.name = name;
    }

    public String getEmail() {
        return email;
    }

    public String getName() {
        return name;
    }
}
