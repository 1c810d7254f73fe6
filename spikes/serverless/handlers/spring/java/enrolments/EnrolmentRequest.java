package enrolments;

import jakarta.validation.Valid;
import jakarta.validation.constraints.Digits;
import jakarta.validation.constraints.Email;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.PositiveOrZero;
import jakarta.validation.constraints.Size;
import java.math.BigDecimal;
import java.time.LocalDate;

/** What a client sends to enrol somebody in a course. */
public record EnrolmentRequest(
        @NotBlank @Size(max = 40) String course,
        @NotNull LocalDate starts,
        @NotNull @Valid Person participant,
        @NotNull @PositiveOrZero @Digits(integer = 6, fraction = 2) BigDecimal fee) {

    /** Who is enrolled. */
    public record Person(
            @NotBlank @Size(max = 100) String name, @NotBlank @Email @Size(max = 200) String email) {}
}
