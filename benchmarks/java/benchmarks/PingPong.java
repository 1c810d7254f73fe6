package benchmarks;

import java.util.concurrent.atomic.AtomicInteger;
import spikebench.Confirms;
import spikebench.Driver;
import spikebench.Inbox;
import spikebench.Receiver;
import spikebench.Sender;
import spikebench.Wiring;

/**
 * Another driver whose messages count as confirmed once they are confirmed and received, for a window
 * of one: each then follows upon the arrival of the one before. Option: {@code through}, the driver's
 * class.
 */
public final class PingPong implements Driver {
    private final AtomicInteger missing = new AtomicInteger();
    private Driver driver;
    private Confirms confirms;
    private volatile int onItsWay;

    @Override
    public void open(Wiring wiring) throws Exception {
        if (wiring.confirmWindow() != 1) {
            throw new IllegalArgumentException("ping-pong is for a confirm window of 1");
        }
        String name = wiring.options().get("through");
        driver = (Driver) Class.forName(name).getDeclaredConstructor().newInstance();
        driver.open(wiring);
    }

    @Override
    public Sender sender(Confirms confirms) throws Exception {
        this.confirms = confirms;
        return new Pinging(driver.sender(new Held(confirms)));
    }

    @Override
    public Receiver receiver(int subscriber, int member, Inbox inbox) throws Exception {
        return driver.receiver(
                subscriber,
                member,
                bodies -> {
                    inbox.deliver(bodies);
                    for (byte[] body : bodies) {
                        arrived();
                    }
                });
    }

    @Override
    public String version() {
        return driver.version();
    }

    @Override
    public void close() throws Exception {
        driver.close();
    }

    /** One of the two that a message waits for: its confirm, and its arrival. */
    private void arrived() {
        if (missing.decrementAndGet() == 0) {
            confirms.confirmed(onItsWay);
        }
    }

    private final class Pinging implements Sender {
        private final Sender sender;

        Pinging(Sender sender) {
            this.sender = sender;
        }

        @Override
        public void send(int seq, byte[] key, byte[] body) throws Exception {
            onItsWay = seq;
            missing.set(2);
            sender.send(seq, key, body);
        }

        @Override
        public boolean copiesBody() {
            return sender.copiesBody();
        }

        @Override
        public void flush() throws Exception {
            sender.flush();
        }

        @Override
        public void close() throws Exception {
            sender.close();
        }
    }

    private final class Held implements Confirms {
        private final Confirms confirms;

        Held(Confirms confirms) {
            this.confirms = confirms;
        }

        @Override
        public void confirmed(int seq) {
            arrived();
        }

        @Override
        public void failed(int seq, String reason) {
            confirms.failed(seq, reason);
        }
    }
}
