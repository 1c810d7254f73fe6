package spikes.messaging;

import com.rabbitmq.stream.Address;
import com.rabbitmq.stream.ConfirmationStatus;
import com.rabbitmq.stream.Constants;
import com.rabbitmq.stream.Consumer;
import com.rabbitmq.stream.Environment;
import com.rabbitmq.stream.EnvironmentBuilder;
import com.rabbitmq.stream.Message;
import com.rabbitmq.stream.OffsetSpecification;
import com.rabbitmq.stream.Producer;
import com.rabbitmq.stream.Resource;
import com.rabbitmq.stream.StreamException;
import com.rabbitmq.stream.impl.Client;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import spikebench.Confirms;
import spikebench.Driver;
import spikebench.Inbox;
import spikebench.Receiver;
import spikebench.Sender;
import spikebench.Wiring;

/** RabbitMQ's streams by the official stream client; every subscriber reads the whole stream. */
public final class RabbitStream implements Driver {
    private static final String STREAM_PORT = "SPIKEBENCH_RABBITMQ_STREAM_PORT";

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    /** Kept from trial to trial: an environment that owns its threads takes a second to close. */
    private static final EventLoopGroup LOOPS =
            new MultiThreadIoEventLoopGroup(
                    new DefaultThreadFactory("stream", true), NioIoHandler.newFactory());

    private Wiring wiring;
    private Environment environment;

    @Override
    public void open(Wiring wiring) throws Exception {
        this.wiring = wiring;
        this.environment = Tls.explained(RabbitMq.CA_FILE, () -> connect(wiring.connection()));
    }

    private static Environment connect(Map<String, String> to) throws Exception {
        Address address = new Address(to.get("host"), Integer.parseInt(to.get("stream_port")));
        EnvironmentBuilder builder =
                Environment.builder()
                        .host(address.host())
                        .port(address.port())
                        // The broker may advertise a name that only it can resolve.
                        .addressResolver(advertised -> address)
                        .username(to.get("user"))
                        .password(to.get("password"))
                        .virtualHost(to.getOrDefault("vhost", "/"))
                        .rpcTimeout(TIMEOUT)
                        .netty()
                        .eventLoopGroup(LOOPS)
                        .environmentBuilder();
        if (Tls.isWanted(to)) {
            SslContext trusted = SslContextBuilder.forClient().trustManager(Tls.trust(to)).build();
            builder.tls().sslContext(trusted);
        }
        try {
            return builder.build();
        } catch (StreamException unreachable) {
            throw new IOException(
                    "there are no streams to be had at %s:%d, the port in %s: they take RabbitMQ's stream"
                            .formatted(address.host(), address.port(), STREAM_PORT)
                            + " plugin, which Amazon MQ does not offer",
                    unreachable);
        }
    }

    @Override
    public Sender sender(Confirms confirms) {
        return new StreamSender(environment, wiring, confirms);
    }

    @Override
    public Receiver receiver(int subscriber, int member, Inbox inbox) {
        return new StreamReceiver(environment, wiring, subscriber, inbox);
    }

    @Override
    public String version() {
        return "stream-client " + Client.class.getPackage().getImplementationVersion();
    }

    @Override
    public void close() {
        if (environment != null) {
            environment.close();
        }
    }

    /** Says what went wrong for a code of the protocol. */
    private static String reason(short code) {
        return switch (code) {
            case Constants.CODE_MESSAGE_ENQUEUEING_FAILED -> "the client's buffer stayed full";
            case Constants.CODE_PRODUCER_NOT_AVAILABLE -> "the connection was lost";
            case Constants.CODE_PRODUCER_CLOSED -> "the producer was closed";
            case Constants.CODE_PUBLISH_CONFIRM_TIMEOUT -> "no confirm came in time";
            default -> "the broker refused it (code " + code + ")";
        };
    }

    private static final class StreamSender implements Sender {
        private static final int BATCH = 100;
        private static final int WINDOW = 10_000;

        private final Producer producer;
        private final Confirms confirms;
        private volatile boolean lost;

        StreamSender(Environment environment, Wiring wiring, Confirms confirms) {
            this.confirms = confirms;
            // The client gathers what comes while the batch before is sent; it never lingers.
            this.producer =
                    environment
                            .producerBuilder()
                            .stream(wiring.name())
                            .batchSize(Math.max(BATCH, wiring.batchMessages()))
                            .maxUnconfirmedMessages(Math.max(WINDOW, 2 * wiring.confirmWindow()))
                            .confirmTimeout(TIMEOUT)
                            .enqueueTimeout(TIMEOUT)
                            .listeners(change -> lost |= isLost(change))
                            .build();
        }

        @Override
        public void send(int seq, byte[] key, byte[] body) {
            Message message = producer.messageBuilder().addData(body).build();
            producer.send(message, status -> settle(seq, status));
        }

        @Override
        public void flush() throws IOException {
            if (lost) {
                throw new IOException("the connection to the stream was lost");
            }
        }

        @Override
        public void close() {
            producer.close();
        }

        private void settle(int seq, ConfirmationStatus status) {
            if (status.isConfirmed()) {
                confirms.confirmed(seq);
            } else {
                confirms.failed(seq, reason(status.getCode()));
            }
        }
    }

    private static final class StreamReceiver implements Receiver {
        private final CountDownLatch stopped = new CountDownLatch(1);
        private final Consumer consumer;
        private volatile boolean stopping;
        private volatile boolean lost;

        /** Reads from the start; the broker keeps the position of the named consumer. */
        StreamReceiver(Environment environment, Wiring wiring, int subscriber, Inbox inbox) {
            this.consumer =
                    environment
                            .consumerBuilder()
                            .stream(wiring.name())
                            .name(wiring.name() + "." + subscriber)
                            .offset(OffsetSpecification.first())
                            .autoTrackingStrategy()
                            .builder()
                            .listeners(this::notice)
                            .messageHandler((context, message) -> take(message, inbox))
                            .build();
        }

        @Override
        public void run() throws Exception {
            stopped.await();
            if (lost) {
                throw new IOException("the connection to the stream was lost");
            }
        }

        @Override
        public void stop() {
            stopping = true;
            stopped.countDown();
        }

        @Override
        public void close() {
            stop();
            consumer.close();
        }

        private void take(Message message, Inbox inbox) {
            if (!stopping) {
                inbox.deliver(message.getBodyAsBinary());
            }
        }

        private void notice(Resource.Context change) {
            if (!stopping && isLost(change)) {
                lost = true;
                stopped.countDown();
            }
        }
    }

    private static boolean isLost(Resource.Context change) {
        return change.currentState() == Resource.State.RECOVERING;
    }
}
