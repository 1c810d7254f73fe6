package benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import spikebench.Confirms;
import spikebench.Driver;
import spikebench.Inbox;
import spikebench.Receiver;
import spikebench.Sender;
import spikebench.Wiring;

/**
 * Another driver, with the harness's own CPU time told apart from the client library's: what the
 * sending thread uses outside {@code send}, and what the callbacks into the harness use. Options:
 * {@code through}, the driver's class; {@code report}, the file that gets a line a segment, {@code
 * messages sender_ns confirms_ns inbox_ns}, in CPU time.
 */
public final class Metered implements Driver {
    private final Meter confirming = new Meter();
    private final Meter delivering = new Meter();
    private Driver driver;
    private Path report;
    private MeteredSender sender;

    @Override
    public void open(Wiring wiring) throws Exception {
        String name = wiring.options().get("through");
        driver = (Driver) Class.forName(name).getDeclaredConstructor().newInstance();
        report = Path.of(wiring.options().get("report"));
        driver.open(wiring);
    }

    @Override
    public Sender sender(Confirms confirms) throws Exception {
        sender = new MeteredSender(driver.sender(new MeteredConfirms(confirms)));
        return sender;
    }

    @Override
    public Receiver receiver(int subscriber, int member, Inbox inbox) throws Exception {
        return driver.receiver(subscriber, member, new MeteredInbox(inbox));
    }

    @Override
    public String version() {
        return driver.version();
    }

    @Override
    public void close() throws Exception {
        sender.report();
        driver.close();
    }

    private final class MeteredSender implements Sender {
        private final Sender sender;
        private final Meter sending = new Meter();
        private Thread thread;
        private long messages;
        private long firstNs;
        private long lastNs;

        MeteredSender(Sender sender) {
            this.sender = sender;
        }

        @Override
        public void send(int seq, byte[] key, byte[] body) throws Exception {
            // A segment is sent by a thread of its own, whose CPU time cannot be asked for later.
            if (thread != Thread.currentThread()) {
                report();
                thread = Thread.currentThread();
                firstNs = Meter.cpuNs();
            }
            messages++;
            long began = sending.begin();
            sender.send(seq, key, body);
            long ended = sending.end(began);
            lastNs = ended == 0 ? lastNs : ended;
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

        void report() throws IOException {
            if (messages > 0) {
                long own = lastNs - firstNs - sending.totalNs();
                long[] line = {messages, own, confirming.totalNs(), delivering.totalNs()};
                String text = String.format("%d %d %d %d%n", line[0], line[1], line[2], line[3]);
                Files.writeString(
                        report, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            }
            messages = 0;
            sending.reset();
            confirming.reset();
            delivering.reset();
        }
    }

    private final class MeteredConfirms implements Confirms {
        private final Confirms confirms;

        MeteredConfirms(Confirms confirms) {
            this.confirms = confirms;
        }

        @Override
        public void confirmed(int seq) {
            long began = confirming.begin();
            confirms.confirmed(seq);
            confirming.end(began);
        }

        @Override
        public void failed(int seq, String reason) {
            confirms.failed(seq, reason);
        }
    }

    private final class MeteredInbox implements Inbox {
        private final Inbox inbox;

        MeteredInbox(Inbox inbox) {
            this.inbox = inbox;
        }

        @Override
        public void deliver(byte[]... bodies) {
            long began = delivering.begin();
            inbox.deliver(bodies);
            delivering.end(began);
        }
    }
}
