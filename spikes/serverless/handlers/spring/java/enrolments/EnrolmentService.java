package enrolments;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

@Service
@Transactional
public class EnrolmentService {
    private final EnrolmentRepository enrolments;
    private final ParticipantRepository participants;

    public EnrolmentService(EnrolmentRepository enrolments, ParticipantRepository participants) {
        this.enrolments = enrolments;
        this.participants = participants;
    }

    /** Enrols somebody; the same request again changes nothing. */
    public EnrolmentView enrol(EnrolmentRequest request) {
        EnrolmentRequest.Person person = request.participant();
        Participant participant =
                participants.save(new Participant(person.email(), person.name().strip()));
        BigDecimal fee = request.fee().setScale(2);
        Enrolment enrolment =
                new Enrolment(id(request), request.course(), request.starts(), participant, fee);
        return EnrolmentView.of(enrolments.saveAndFlush(enrolment));
    }

    @Transactional(readOnly = true)
    public Optional<EnrolmentView> find(String id) {
        return enrolments.findById(id).map(EnrolmentView::of);
    }

    @Transactional(readOnly = true)
    public List<EnrolmentView> ofCourse(String course) {
        return enrolments.findByCourseOrderByStarts(course).stream().map(EnrolmentView::of).toList();
    }

    private static String id(EnrolmentRequest request) {
        String content =
                request.course() + "/" + request.starts() + "/" + request.participant().email();
        return UUID.nameUUIDFromBytes(content.getBytes(StandardCharsets.UTF_8)).toString();
    }
}
