package spikes.messaging;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.core.interceptor.SdkExecutionAttribute;
import software.amazon.awssdk.services.sqs.model.ReceiveMessageResponse;

/**
 * Counts what the clients that have it are answered, by operation: what SQS and SNS bill, whatever a
 * call carries. A call that is tried again counts once; a receive that came back empty stands apart.
 */
final class Calls implements ExecutionInterceptor {
    private static final String VAIN = "_empty";

    private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();
    private final Map<String, LongAdder> vain = new ConcurrentHashMap<>();

    @Override
    public void afterExecution(Context.AfterExecution context, ExecutionAttributes attributes) {
        String operation = attributes.getAttribute(SdkExecutionAttribute.OPERATION_NAME);
        boolean empty =
                context.response() instanceof ReceiveMessageResponse received
                        && received.messages().isEmpty();
        (empty ? vain : counts).computeIfAbsent(operation, name -> new LongAdder()).increment();
    }

    /** Calls answered so far, by operation in snake case. */
    Map<String, Long> soFar() {
        Map<String, Long> found = new HashMap<>();
        counts.forEach((name, count) -> found.put(snake(name), count.sum()));
        vain.forEach((name, count) -> found.put(snake(name) + VAIN, count.sum()));
        return found;
    }

    private static String snake(String operation) {
        return operation.replaceAll("([a-z])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
    }
}
