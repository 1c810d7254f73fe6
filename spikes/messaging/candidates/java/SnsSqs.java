package spikes.messaging;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.BatchResultErrorEntry;
import software.amazon.awssdk.services.sns.model.PublishBatchRequestEntry;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import spikebench.Confirms;
import spikebench.Driver;
import spikebench.Inbox;
import spikebench.Receiver;
import spikebench.Sender;
import spikebench.Wiring;

/** An SNS topic with an SQS queue for each subscriber, by the AWS SDK; FIFO where order is asked for. */
public final class SnsSqs implements Driver {
    private Wiring wiring;
    private boolean fifo;
    private final Calls calls = new Calls();
    private SnsClient sns;

    @Override
    public void open(Wiring wiring) {
        this.wiring = wiring;
        this.fifo = !"none".equals(wiring.ordering());
        this.sns = Aws.client(SnsClient.builder(), wiring.connection(), calls);
    }

    @Override
    public Sender sender(Confirms confirms) {
        String topic = topicArn();
        return new Batches(
                wiring,
                confirms,
                List.of(messages -> publish(topic, messages)),
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
        if (sns != null) {
            sns.close();
        }
    }

    /** The topic lies beside its queues, in the same account and region. */
    private String topicArn() {
        String queue = SqsQueues.name(wiring, 0, fifo);
        String arn;
        try (SqsClient sqs = Aws.client(SqsClient.builder(), wiring.connection(), calls)) {
            String url = SqsQueues.url(sqs, queue);
            arn =
                    sqs.getQueueAttributes(
                                    request ->
                                            request.queueUrl(url)
                                                    .attributeNames(QueueAttributeName.QUEUE_ARN))
                            .attributes()
                            .get(QueueAttributeName.QUEUE_ARN);
        }
        String place = arn.substring(0, arn.length() - queue.length()).replace(":sqs:", ":sns:");
        return place + wiring.name() + (fifo ? ".fifo" : "");
    }

    private Map<Integer, String> publish(String topic, List<Batches.Message> messages) {
        List<PublishBatchRequestEntry> entries = messages.stream().map(this::entry).toList();
        var answer =
                sns.publishBatch(
                        request -> request.topicArn(topic).publishBatchRequestEntries(entries));
        Map<Integer, String> refused = new HashMap<>();
        for (BatchResultErrorEntry each : answer.failed()) {
            refused.put(Integer.valueOf(each.id()), each.code() + ": " + each.message());
        }
        return refused;
    }

    private PublishBatchRequestEntry entry(Batches.Message message) {
        var entry =
                PublishBatchRequestEntry.builder()
                        .id(Integer.toString(message.place()))
                        .message(Batches.ascii(message.body()));
        if (fifo) {
            entry.messageGroupId(message.key());
            entry.messageDeduplicationId(SqsQueues.deduplicationId(wiring, message.seq()));
        }
        return entry.build();
    }
}
