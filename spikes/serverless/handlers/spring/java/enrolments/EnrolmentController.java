package enrolments;

import jakarta.validation.Valid;
import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/enrolments")
public class EnrolmentController {
    private final EnrolmentService service;

    public EnrolmentController(EnrolmentService service) {
        this.service = service;
    }

    @PostMapping
    public ResponseEntity<EnrolmentView> enrol(@Valid @RequestBody EnrolmentRequest request) {
        return ResponseEntity.status(HttpStatus.CREATED).body(service.enrol(request));
    }

    @GetMapping("/{id}")
    public ResponseEntity<EnrolmentView> byId(@PathVariable String id) {
        return ResponseEntity.of(service.find(id));
    }

    @GetMapping
    public List<EnrolmentView> ofCourse(@RequestParam String course) {
        return service.ofCourse(course);
    }
}
