package enrolments;

import java.util.List;
import org.springframework.data.jpa.repository.JpaRepository;

public interface EnrolmentRepository extends JpaRepository<Enrolment, String> {
    List<Enrolment> findByCourseOrderByStarts(String course);
}
