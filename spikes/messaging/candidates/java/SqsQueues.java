package spikes.messaging;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.BatchResultErrorEntry;
import software.amazon.awssdk.services.sqs.model.DeleteMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.Message;
import spikebench.Inbox;
import spikebench.Receiver;
import spikebench.Wiring;

/** The queues of a trial, one a subscriber, as SQS and SNS with SQS share them. */
final class SqsQueues {
    static final int LARGEST_BATCH = 10;

    /** A batch's limit; SQS and SNS count bodies and attributes together. */
    static final int LARGEST_BATCH_BYTES = 262_144;

    private SqsQueues() {}

    static String name(Wiring wiring, int subscriber, boolean fifo) {
        return wiring.name() + "-" + subscriber + (fifo ? ".fifo" : "");
    }

    static String url(SqsClient sqs, String queue) {
        return sqs.getQueueUrl(request -> request.queueName(queue)).queueUrl();
    }

    /** The id by which a FIFO queue or topic knows a message again. */
    static String deduplicationId(Wiring wiring, int seq) {
        return wiring.name() + "-" + seq;
    }

    static Map<Integer, String> refused(List<BatchResultErrorEntry> failed) {
        Map<Integer, String> refused = new HashMap<>();
        for (BatchResultErrorEntry each : failed) {
            refused.put(Integer.valueOf(each.id()), each.code() + ": " + each.message());
        }
        return refused;
    }

    /** Receives by long polling, and deletes what it delivered, a batch at a time. */
    static final class Consumer implements Receiver {
        /** Short, because a poll under way is let finish: one cut off could still take messages. */
        private static final int WAIT_S = 1;

        private final SqsClient sqs;
        private final String url;
        private final int most;
        private final Inbox inbox;
        private volatile boolean stopping;
        private volatile boolean polling;

        Consumer(Wiring wiring, String queue, Inbox inbox, Calls calls) {
            this.sqs = Aws.client(SqsClient.builder(), wiring.connection(), calls);
            this.url = url(sqs, queue);
            this.most = Math.min(LARGEST_BATCH, wiring.prefetch());
            this.inbox = inbox;
        }

        @Override
        public void run() {
            while (!stopping) {
                List<Message> messages = receive();
                if (!messages.isEmpty()) {
                    deliver(messages);
                }
            }
        }

        /** Ends a poll that waits in vain; what is being delivered is acknowledged first. */
        @Override
        public void stop() {
            stopping = true;
            if (polling) {
                sqs.close();
            }
        }

        @Override
        public void close() {
            stop();
            sqs.close();
        }

        private List<Message> receive() {
            polling = true;
            try {
                return sqs.receiveMessage(
                                request ->
                                        request.queueUrl(url)
                                                .maxNumberOfMessages(most)
                                                .waitTimeSeconds(WAIT_S))
                        .messages();
            } catch (RuntimeException ended) {
                if (stopping) {
                    return List.of();
                }
                throw ended;
            } finally {
                polling = false;
            }
        }

        private void deliver(List<Message> messages) {
            List<DeleteMessageBatchRequestEntry> entries = new ArrayList<>();
            for (Message message : messages) {
                inbox.deliver(Batches.ascii(message.body()));
                String id = Integer.toString(entries.size());
                entries.add(
                        DeleteMessageBatchRequestEntry.builder()
                                .id(id)
                                .receiptHandle(message.receiptHandle())
                                .build());
            }
            var answer = sqs.deleteMessageBatch(request -> request.queueUrl(url).entries(entries));
            if (!answer.failed().isEmpty()) {
                throw new IllegalStateException("not deleted: " + refused(answer.failed()));
            }
        }
    }
}
