package spikes.messaging;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.GetRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.PutRecordsResultEntry;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import spikebench.Confirms;
import spikebench.Driver;
import spikebench.Inbox;
import spikebench.Receiver;
import spikebench.Sender;
import spikebench.Wiring;

/** A Kinesis data stream by the AWS SDK; shards are read by polling. */
public final class Kinesis implements Driver {
    private static final int LARGEST_BATCH = 500;
    private static final int LARGEST_BATCH_BYTES = 5 * 1_048_576;

    private Wiring wiring;
    private final Calls calls = new Calls();
    private KinesisClient kinesis;

    @Override
    public void open(Wiring wiring) {
        this.wiring = wiring;
        this.kinesis = Aws.client(KinesisClient.builder(), wiring.connection(), calls);
    }

    @Override
    public Sender sender(Confirms confirms) {
        return new Batches(
                wiring,
                confirms,
                List.of(this::put),
                LARGEST_BATCH,
                LARGEST_BATCH_BYTES,
                Batches.inFlight(wiring, !"none".equals(wiring.ordering())));
    }

    @Override
    public Receiver receiver(int subscriber, int member, Inbox inbox) {
        return new Reader(wiring, member, inbox, calls);
    }

    @Override
    public String version() {
        return Aws.version();
    }

    @Override
    public Map<String, Long> callsAnswered() {
        return calls.soFar();
    }

    @Override
    public void close() {
        if (kinesis != null) {
            kinesis.close();
        }
    }

    private Map<Integer, String> put(List<Batches.Message> messages) {
        List<PutRecordsRequestEntry> entries = messages.stream().map(Kinesis::entry).toList();
        List<PutRecordsResultEntry> results =
                kinesis.putRecords(request -> request.streamName(wiring.name()).records(entries))
                        .records();
        Map<Integer, String> refused = new HashMap<>();
        for (int place = 0; place < results.size(); place++) {
            PutRecordsResultEntry result = results.get(place);
            if (result.errorCode() != null) {
                refused.put(place, result.errorCode() + ": " + result.errorMessage());
            }
        }
        return refused;
    }

    private static PutRecordsRequestEntry entry(Batches.Message message) {
        return PutRecordsRequestEntry.builder()
                .partitionKey(message.key())
                .data(SdkBytes.fromByteArrayUnsafe(message.body()))
                .build();
    }

    /** Reads every n-th shard from its oldest record, no oftener than the service allows. */
    private static final class Reader implements Receiver {
        /**
         * GetRecords calls a second that a shard allows to all its readers together (Kinesis Data
         * Streams Developer Guide, "Quotas and limits"); the option {@code reads_per_s} sets another.
         */
        private static final String READS_PER_S = "5";

        private static final int LARGEST_READ = 10_000;
        private final KinesisClient kinesis;
        private final Inbox inbox;
        private final long pauseNs;
        private final Map<String, String> iterators = new HashMap<>();
        private final CountDownLatch stopped = new CountDownLatch(1);

        Reader(Wiring wiring, int member, Inbox inbox, Calls calls) {
            String reads = wiring.options().getOrDefault("reads_per_s", READS_PER_S);
            this.kinesis = Aws.client(KinesisClient.builder(), wiring.connection(), calls);
            this.inbox = inbox;
            this.pauseNs = (long) (wiring.subscribers() / Double.parseDouble(reads) * 1e9);
            List<String> shards = shards(wiring.name());
            IntStream.range(0, shards.size())
                    .filter(number -> number % wiring.consumers() == member)
                    .mapToObj(shards::get)
                    .forEach(shard -> iterators.put(shard, oldest(wiring.name(), shard)));
        }

        @Override
        public void run() throws InterruptedException {
            long due = System.nanoTime();
            while (!stopped.await(due - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                due = System.nanoTime() + pauseNs;
                iterators.replaceAll((shard, iterator) -> read(iterator));
            }
        }

        @Override
        public void stop() {
            stopped.countDown();
        }

        @Override
        public void close() {
            stop();
            kinesis.close();
        }

        private List<String> shards(String stream) {
            return kinesis.listShards(request -> request.streamName(stream)).shards().stream()
                    .map(Shard::shardId)
                    .sorted()
                    .toList();
        }

        private String oldest(String stream, String shard) {
            return kinesis.getShardIterator(
                            request ->
                                    request.streamName(stream)
                                            .shardId(shard)
                                            .shardIteratorType(ShardIteratorType.TRIM_HORIZON))
                    .shardIterator();
        }

        private String read(String iterator) {
            GetRecordsResponse answer =
                    kinesis.getRecords(
                            request -> request.shardIterator(iterator).limit(LARGEST_READ));
            for (Record record : answer.records()) {
                inbox.deliver(record.data().asByteArrayUnsafe());
            }
            return answer.nextShardIterator();
        }
    }
}
