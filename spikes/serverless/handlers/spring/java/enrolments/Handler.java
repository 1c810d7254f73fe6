package enrolments;

import com.amazonaws.serverless.exceptions.ContainerInitializationException;
import com.amazonaws.serverless.proxy.spring.SpringDelegatingLambdaContainerHandler;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * Takes an API Gateway event to the service's REST controllers, by Spring Cloud Function's
 * serverless web adapter: the documented way to move controllers to Lambda unchanged.
 *
 * <p>The adapter starts the application in a thread of its own. Waiting for it here keeps what is
 * done before the first event and what is done for it apart; their sum stays the same.
 */
public final class Handler implements RequestStreamHandler {
    private static final long START_TIMEOUT_S = 300;

    private final RequestStreamHandler service;

    public Handler() throws ContainerInitializationException, InterruptedException {
        service = new SpringDelegatingLambdaContainerHandler(Application.class);
        if (!Application.awaitReady(START_TIMEOUT_S)) {
            throw new IllegalStateException(
                    "the application was not ready within " + START_TIMEOUT_S + " s");
        }
    }

    @Override
    public void handleRequest(InputStream input, OutputStream output, Context context)
            throws IOException {
        service.handleRequest(input, output, context);
    }
}
