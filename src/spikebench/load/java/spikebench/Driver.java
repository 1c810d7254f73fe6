package spikebench;

import java.util.Map;

/** A client library for one candidate: it sends, receives and acknowledges, and never times or counts. */
public interface Driver extends AutoCloseable {
    /** Takes the trial's wiring; called once, first. Throws where the wiring cannot be served. */
    void open(Wiring wiring) throws Exception;

    /** Opens a producer, ready to send; confirms may be called from any thread. */
    Sender sender(Confirms confirms) throws Exception;

    /** Opens consumer {@code member} of {@code subscriber} (both from 0), subscribed before it returns. */
    Receiver receiver(int subscriber, int member, Inbox inbox) throws Exception;

    /** Name and version of the client library, e.g. {@code amqp-client 5.25.0}. */
    String version();

    /** Calls that a service has answered so far, by operation, where it bills them; from any thread. */
    default Map<String, Long> callsAnswered() {
        return Map.of();
    }
}
