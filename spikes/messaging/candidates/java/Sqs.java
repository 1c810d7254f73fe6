package spikes.messaging;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.SendMessageBatchRequestEntry;
import spikebench.Confirms;
import spikebench.Driver;
import spikebench.Inbox;
import spikebench.Receiver;
import spikebench.Sender;
import spikebench.Wiring;

/** SQS by the AWS SDK; a copy goes to every subscriber's queue. Option {@code kind}: standard or fifo. */
public final class Sqs implements Driver {
    private Wiring wiring;
    private boolean fifo;
    private final Calls calls = new Calls();
    private SqsClient sqs;

    @Override
    public void open(Wiring wiring) {
        this.wiring = wiring;
        this.fifo = "fifo".equals(wiring.options().get("kind"));
        this.sqs = Aws.client(SqsClient.builder(), wiring.connection(), calls);
    }

    @Override
    public Sender sender(Confirms confirms) {
        List<Batches.Carry> queues = new ArrayList<>();
        for (int subscriber = 0; subscriber < wiring.subscribers(); subscriber++) {
            String url = SqsQueues.url(sqs, SqsQueues.name(wiring, subscriber, fifo));
            queues.add(messages -> send(url, messages));
        }
        return new Batches(
                wiring,
                confirms,
                queues,
                SqsQueues.LARGEST_BATCH,
                SqsQueues.LARGEST_BATCH_BYTES,
                Batches.inFlight(wiring, fifo));
    }

    @Override
    public Receiver receiver(int subscriber, int member, Inbox inbox) {
        return new SqsQueues.Consumer(wiring, SqsQueues.name(wiring, subscriber, fifo), inbox, calls);
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
        if (sqs != null) {
            sqs.close();
        }
    }

    private Map<Integer, String> send(String url, List<Batches.Message> messages) {
        List<SendMessageBatchRequestEntry> entries = messages.stream().map(this::entry).toList();
        var answer = sqs.sendMessageBatch(request -> request.queueUrl(url).entries(entries));
        return SqsQueues.refused(answer.failed());
    }

    private SendMessageBatchRequestEntry entry(Batches.Message message) {
        var entry =
                SendMessageBatchRequestEntry.builder()
                        .id(Integer.toString(message.place()))
                        .messageBody(Batches.ascii(message.body()));
        if (fifo) {
            entry.messageGroupId(message.key());
            entry.messageDeduplicationId(SqsQueues.deduplicationId(wiring, message.seq()));
        }
        return entry.build();
    }
}
