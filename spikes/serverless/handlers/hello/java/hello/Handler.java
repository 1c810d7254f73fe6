package hello;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Map;

/**
 * Answers a constant.
 *
 * <p>Event and answer go through the runtime's own serialization, as in the documentation's first
 * example and as other languages' runtimes parse theirs.
 */
public final class Handler implements RequestHandler<Map<String, Object>, Map<String, String>> {
    @Override
    public Map<String, String> handleRequest(Map<String, Object> event, Context context) {
        return Map.of("message", "hello spike");
    }
}
