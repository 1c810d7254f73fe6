package spikes.messaging;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Address;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ShutdownSignalException;
import com.rabbitmq.client.impl.AMQConnection;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import spikebench.Confirms;
import spikebench.Driver;
import spikebench.Inbox;
import spikebench.Receiver;
import spikebench.Sender;
import spikebench.Wiring;

/** RabbitMQ's classic and quorum queues by the official AMQP 0.9.1 client. */
public final class RabbitMq implements Driver {
    static final String CA_FILE = "SPIKEBENCH_RABBITMQ_CA_FILE";

    private static final int TIMEOUT_MS = 10_000;

    private Wiring wiring;

    @Override
    public void open(Wiring wiring) {
        this.wiring = wiring;
    }

    @Override
    public Sender sender(Confirms confirms) throws Exception {
        return new Publisher(connect(wiring, null, "sender"), wiring, confirms);
    }

    @Override
    public Receiver receiver(int subscriber, int member, Inbox inbox) throws Exception {
        return new Subscriber(wiring, wiring.name() + "." + subscriber, inbox);
    }

    @Override
    public String version() {
        return "amqp-client " + AMQConnection.defaultClientProperties().get("version");
    }

    @Override
    public void close() {
        // Sender and receivers have connections of their own.
    }

    /** The first of the nodes that answers, in their order. */
    private static Connection connect(Wiring wiring, ExecutorService thread, String name)
            throws Exception {
        String nodes = wiring.connection().get("addresses");
        ConnectionFactory factory = factory(wiring);
        return Tls.explained(
                CA_FILE,
                () ->
                        nodes == null
                                ? factory.newConnection(thread, name)
                                : factory.newConnection(
                                        thread, Address.parseAddresses(nodes), name));
    }

    private static ConnectionFactory factory(Wiring wiring)
            throws IOException, GeneralSecurityException {
        Map<String, String> to = wiring.connection();
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost(to.get("host"));
        factory.setPort(Integer.parseInt(to.get("port")));
        factory.setUsername(to.get("user"));
        factory.setPassword(to.get("password"));
        factory.setVirtualHost(to.getOrDefault("vhost", "/"));
        factory.setConnectionTimeout(TIMEOUT_MS);
        factory.setThreadFactory(Daemon::thread);
        // A lost connection must be seen, not mended behind the harness's back.
        factory.setAutomaticRecoveryEnabled(false);
        if (Tls.isWanted(to)) {
            factory.useSslProtocol(Tls.context(to));
            factory.enableHostnameVerification();
        }
        return factory;
    }

    private static final class Publisher implements Sender {
        private final Connection connection;
        private final Channel channel;
        private final String exchange;
        private final String routingKey;
        private final BasicProperties properties;
        private final Unconfirmed unconfirmed;

        Publisher(Connection connection, Wiring wiring, Confirms confirms) throws IOException {
            this.connection = connection;
            this.channel = connection.createChannel();
            boolean fansOut = wiring.subscribers() > 1;
            this.exchange = fansOut ? wiring.name() : "";
            this.routingKey = fansOut ? "" : wiring.name() + ".0";
            int deliveryMode = wiring.durable() ? 2 : 1;
            this.properties = new BasicProperties.Builder().deliveryMode(deliveryMode).build();
            this.unconfirmed = new Unconfirmed(wiring.confirmWindow(), confirms);
            if (wiring.confirmed()) {
                channel.confirmSelect();
                channel.addConfirmListener(unconfirmed::ack, unconfirmed::nack);
            }
        }

        @Override
        public void send(int seq, byte[] key, byte[] body) throws IOException {
            unconfirmed.sending(seq);
            channel.basicPublish(exchange, routingKey, properties, body);
        }

        /** Into the connection's buffer or its socket, before it returns. */
        @Override
        public boolean copiesBody() {
            return true;
        }

        @Override
        public void flush() {
            ShutdownSignalException reason = channel.getCloseReason();
            if (reason != null) {
                throw reason;
            }
        }

        @Override
        public void close() {
            connection.abort(TIMEOUT_MS);
        }
    }

    /** One connection, whose only thread delivers and acknowledges. */
    private static final class Subscriber implements Receiver {
        private static final long IDLE_MS = 20;

        private final ScheduledExecutorService thread =
                Executors.newSingleThreadScheduledExecutor(Daemon::thread);
        private final CountDownLatch stopped = new CountDownLatch(1);
        private final Connection connection;
        private final Channel channel;
        private final Inbox inbox;
        private final int ackBatch;
        private long delivered;
        private long acknowledged;
        private long deliveredBefore;
        private volatile boolean stopping;
        private volatile Throwable failure;

        Subscriber(Wiring wiring, String queue, Inbox inbox) throws Exception {
            this.inbox = inbox;
            this.ackBatch = Math.min(wiring.ackBatch(), wiring.prefetch());
            connection = connect(wiring, thread, "receiver");
            channel = connection.createChannel();
            channel.addShutdownListener(this::fail);
            channel.basicQos(wiring.prefetch());
            channel.basicConsume(
                    queue,
                    false,
                    (tag, message) -> take(message.getEnvelope().getDeliveryTag(), message.getBody()),
                    tag -> fail(new IOException("the queue was deleted")));
            if (ackBatch > 1) {
                thread.scheduleWithFixedDelay(this::ackIdle, IDLE_MS, IDLE_MS, TimeUnit.MILLISECONDS);
            }
        }

        @Override
        public void run() throws Exception {
            stopped.await();
            if (failure != null) {
                throw new IOException(failure.getMessage(), failure);
            }
        }

        @Override
        public void stop() {
            stopping = true;
            stopped.countDown();
        }

        @Override
        public void close() throws Exception {
            stop();
            if (channel.isOpen()) {
                thread.submit(this::ackAll).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
            }
            connection.abort(TIMEOUT_MS);
            thread.shutdownNow();
        }

        private void take(long tag, byte[] body) throws IOException {
            if (stopping) {
                return;
            }
            try {
                inbox.deliver(body);
            } catch (RuntimeException error) {
                fail(error);
                return;
            }
            delivered = tag;
            if (delivered - acknowledged >= ackBatch) {
                ackAll();
            }
        }

        private Void ackAll() throws IOException {
            if (delivered > acknowledged) {
                channel.basicAck(delivered, delivered - acknowledged > 1);
                acknowledged = delivered;
            }
            return null;
        }

        /** Acknowledges what is short of a whole batch, once nothing more comes. */
        private void ackIdle() {
            try {
                if (delivered == deliveredBefore) {
                    ackAll();
                }
                deliveredBefore = delivered;
            } catch (IOException | ShutdownSignalException error) {
                fail(error);
            }
        }

        private void fail(Throwable error) {
            if (!stopping) {
                failure = error;
                stop();
            }
        }
    }
}
