package enrolments;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;

/** The service, as it would be started on a server too. */
@SpringBootApplication
public class Application {
    private static final CountDownLatch READY = new CountDownLatch(1);

    @EventListener(ApplicationReadyEvent.class)
    void ready() {
        READY.countDown();
    }

    static boolean awaitReady(long timeoutSeconds) throws InterruptedException {
        return READY.await(timeoutSeconds, TimeUnit.SECONDS);
    }
}
