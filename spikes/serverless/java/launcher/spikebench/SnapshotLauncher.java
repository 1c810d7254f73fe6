package spikebench;

import com.amazonaws.services.lambda.runtime.api.client.AWSLambda;
import com.amazonaws.services.lambda.runtime.api.client.LambdaRequestHandler;
import com.amazonaws.services.lambda.runtime.api.client.logging.LambdaContextLogger;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.LambdaRuntimeApiClient;
import com.amazonaws.services.lambda.runtime.api.client.util.ConcurrencyConfig;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/**
 * The main class of a function of which a snapshot is taken.
 *
 * <p>What runs is the runtime interface client's own code for SnapStart: it constructs the handler,
 * calls the hooks before a checkpoint, asks the Runtime API to be restored, calls the hooks after a
 * restore, and goes on to its loop. Only the client of the Runtime API is ours up to the restore,
 * because the address of the endpoint is another each time.
 */
public final class SnapshotLauncher extends AWSLambda {
    private SnapshotLauncher() {}

    public static void main(String[] arguments) throws Throwable {
        LambdaRuntimeApiClient client = new RestoredClient();
        try (LambdaContextLogger logger = (LambdaContextLogger) call("initLogger")) {
            LambdaRequestHandler handler =
                    (LambdaRequestHandler)
                            call("getLambdaRequestHandlerObject", arguments[0], logger, client);
            startRuntimeLoops(handler, logger, new ConcurrencyConfig(logger), client);
        }
    }

    /** Calls one of the two steps of {@code AWSLambda.main} that are private. */
    private static Object call(String name, Object... arguments) throws Throwable {
        for (Method method : AWSLambda.class.getDeclaredMethods()) {
            if (method.getName().equals(name)) {
                method.setAccessible(true);
                try {
                    return method.invoke(null, arguments);
                } catch (InvocationTargetException wrapped) {
                    throw wrapped.getCause();
                }
            }
        }
        throw new NoSuchMethodException(AWSLambda.class.getName() + "." + name);
    }
}
