package spikes.messaging;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.security.plain.PlainLoginModule;
import org.apache.kafka.common.security.scram.ScramLoginModule;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;
import spikebench.Confirms;
import spikebench.Driver;
import spikebench.Inbox;
import spikebench.Receiver;
import spikebench.Sender;
import spikebench.Wiring;

/** Kafka by its official client; option {@code check_crcs}, of what is consumed: {@code true}. */
public final class Kafka implements Driver {
    private static final String CA_FILE = "SPIKEBENCH_KAFKA_CA_FILE";

    private static final int TIMEOUT_MS = 10_000;

    /** How long a record is tried again while a fault lasts; the client's default is two minutes. */
    private static final int PATIENCE_MS = 60_000;

    private Wiring wiring;

    @Override
    public void open(Wiring wiring) {
        this.wiring = wiring;
    }

    @Override
    public Sender sender(Confirms confirms) throws Exception {
        return Tls.explained(CA_FILE, () -> new Producer(wiring, confirms));
    }

    @Override
    public Receiver receiver(int subscriber, int member, Inbox inbox) throws Exception {
        return Tls.explained(CA_FILE, () -> new Consumer(wiring, subscriber, member, inbox));
    }

    @Override
    public String version() {
        return "kafka-clients " + AppInfoParser.getVersion();
    }

    @Override
    public void close() {
        // Sender and receivers have connections of their own.
    }

    private static Map<String, Object> settings(Wiring wiring) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", wiring.connection().get("bootstrap"));
        settings.put("request.timeout.ms", TIMEOUT_MS);
        settings.put("default.api.timeout.ms", TIMEOUT_MS);
        settings.put("metric.reporters", "");
        // The system's, as at the broker: see kafka_settings.py.
        settings.put("send.buffer.bytes", -1);
        settings.put("receive.buffer.bytes", -1);
        settings.put("enable.metrics.push", false);
        secure(settings, wiring.connection());
        return settings;
    }

    private static void secure(Map<String, Object> settings, Map<String, String> to) {
        settings.put("security.protocol", to.getOrDefault("security_protocol", "PLAINTEXT"));
        if (to.containsKey("ca_file")) {
            settings.put("ssl.truststore.type", "PEM");
            settings.put("ssl.truststore.location", to.get("ca_file"));
        }
        String mechanism = to.get("sasl_mechanism");
        if (mechanism != null) {
            settings.put("sasl.mechanism", mechanism);
            settings.put("sasl.jaas.config", login(mechanism, to.get("user"), to.get("password")));
        }
    }

    private static String login(String mechanism, String user, String password) {
        Class<?> module =
                mechanism.equals("PLAIN") ? PlainLoginModule.class : ScramLoginModule.class;
        return "%s required username=%s password=%s;"
                .formatted(module.getName(), quoted(user), quoted(password));
    }

    private static String quoted(String value) {
        return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static final class Producer implements Sender {
        private final KafkaProducer<byte[], byte[]> producer;
        private final String topic;
        private final Confirms confirms;
        private volatile RetriableException lost;

        Producer(Wiring wiring, Confirms confirms) {
            this.topic = wiring.name();
            this.confirms = confirms;
            this.producer =
                    new KafkaProducer<>(
                            settings(wiring, wiring.largestBodyBytes()),
                            new ByteArraySerializer(),
                            new ByteArraySerializer());
            producer.partitionsFor(topic);
        }

        private static Map<String, Object> settings(Wiring wiring, int largestBody) {
            int linger = (int) Math.round(wiring.lingerMs());
            Map<String, Object> settings = Kafka.settings(wiring);
            settings.put("acks", wiring.confirmed() ? "all" : "0");
            settings.put("enable.idempotence", wiring.confirmed());
            settings.put("max.in.flight.requests.per.connection", 5);
            settings.put("linger.ms", linger);
            settings.put("batch.size", wiring.batchBytes());
            settings.put("max.block.ms", TIMEOUT_MS);
            int patience = wiring.reconnects() ? PATIENCE_MS : TIMEOUT_MS;
            settings.put("delivery.timeout.ms", patience + linger);
            // Half of it, so that a request that gets no answer is tried again.
            settings.put("request.timeout.ms", TIMEOUT_MS / 2);
            // A body may be longer than a request by default; the broker's own limit is what counts.
            settings.put("max.request.size", Math.max(1_048_576, largestBody + 1_024));
            return settings;
        }

        @Override
        public void send(int seq, byte[] key, byte[] body) {
            flush();
            producer.send(
                    new ProducerRecord<>(topic, key, body),
                    (metadata, error) -> {
                        if (error == null) {
                            confirms.confirmed(seq);
                        } else {
                            fail(seq, error);
                        }
                    });
        }

        /** Into the batch of its partition, before it returns. */
        @Override
        public boolean copiesBody() {
            return true;
        }

        /** Only looks for a lost broker: the producer's own thread sends when linger.ms is over. */
        @Override
        public void flush() {
            if (lost != null) {
                throw lost;
            }
        }

        /** An error that the client retried until its delivery timeout is a broker out of reach. */
        private void fail(int seq, Exception error) {
            if (error instanceof RetriableException outOfReach) {
                lost = outOfReach;
            }
            confirms.failed(seq, error.getClass().getSimpleName() + ": " + error.getMessage());
        }

        @Override
        public void close() {
            producer.close(Duration.ofMillis(TIMEOUT_MS));
        }
    }

    /**
     * Reads every n-th partition and commits what it delivered; positions are the group's. Partitions
     * are shared out by number: the group's own rebalancing would move them while consumers join.
     */
    private static final class Consumer implements Receiver {
        private static final Duration POLL = Duration.ofMillis(50);
        private static final Duration CLOSING = Duration.ofMillis(20);

        private final KafkaConsumer<byte[], byte[]> consumer;
        private final Inbox inbox;
        private final int ackBatch;
        private int uncommitted;
        private boolean committing;
        private boolean closed;
        private volatile boolean stopping;

        Consumer(Wiring wiring, int subscriber, int member, Inbox inbox) {
            this.inbox = inbox;
            this.ackBatch = wiring.ackBatch();
            this.consumer =
                    new KafkaConsumer<>(
                            settings(wiring, wiring.name() + "." + subscriber),
                            new ByteArrayDeserializer(),
                            new ByteArrayDeserializer());
            List<TopicPartition> mine = share(wiring, member);
            if (mine.isEmpty()) {
                consumer.close();
                throw new IllegalStateException(
                        "there is no partition of " + wiring.name() + " for consumer " + member);
            }
            consumer.assign(mine);
            mine.forEach(consumer::position);
        }

        private static Map<String, Object> settings(Wiring wiring, String group) {
            Map<String, Object> settings = Kafka.settings(wiring);
            settings.put("group.id", group);
            settings.put("auto.offset.reset", "earliest");
            settings.put("enable.auto.commit", false);
            settings.put("allow.auto.create.topics", false);
            settings.put("max.poll.records", wiring.prefetch());
            settings.put("check.crcs", wiring.options().getOrDefault("check_crcs", "true"));
            return settings;
        }

        private List<TopicPartition> share(Wiring wiring, int member) {
            List<TopicPartition> mine = new ArrayList<>();
            for (PartitionInfo each : consumer.partitionsFor(wiring.name())) {
                if (each.partition() % wiring.consumers() == member) {
                    mine.add(new TopicPartition(each.topic(), each.partition()));
                }
            }
            return mine;
        }

        @Override
        public void run() {
            try {
                while (!stopping) {
                    int got = deliver(consumer.poll(POLL));
                    acknowledge(got == 0 ? 1 : ackBatch);
                }
            } catch (WakeupException stopped) {
                // That is what stop() asked for.
            }
        }

        @Override
        public void stop() {
            stopping = true;
            consumer.wakeup();
        }

        @Override
        public void close() {
            if (closed) {
                return;
            }
            closed = true;
            try {
                commitLast();
            } finally {
                // All is committed; what is left to wait for is the broker's answer to a fetch that
                // it holds for up to half a second.
                consumer.close(CloseOptions.timeout(CLOSING));
            }
        }

        private int deliver(ConsumerRecords<byte[], byte[]> records) {
            byte[][] bodies = new byte[records.count()][];
            int got = 0;
            for (ConsumerRecord<byte[], byte[]> record : records) {
                bodies[got++] = record.value();
            }
            inbox.deliver(bodies);
            uncommitted += got;
            return got;
        }

        /** Commits without waiting; what comes while a commit is under way goes with the next. */
        private void acknowledge(int enough) {
            if (uncommitted < enough || committing) {
                return;
            }
            committing = true;
            uncommitted = 0;
            consumer.commitAsync((offsets, error) -> committing = false);
        }

        private void commitLast() {
            try {
                consumer.commitSync();
            } catch (WakeupException pending) {
                consumer.commitSync();
            }
        }
    }
}
