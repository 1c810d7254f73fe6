package spikebench;

import com.amazonaws.services.lambda.runtime.api.client.logging.LambdaContextLogger;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.LambdaError;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.LambdaRuntimeApiClient;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.LambdaRuntimeApiClientImpl;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.dto.InvocationRequest;
import java.io.IOException;
import java.util.Map;

/**
 * A client of the Runtime API whose {@code restoreNext} is the place of the snapshot.
 *
 * <p>Before it, there is a client with no endpoint at its address, so that the native part is loaded
 * and part of the snapshot, as in SnapStart. After it, the address is that of the restored copy.
 */
final class RestoredClient implements LambdaRuntimeApiClient {
    private static final String NOWHERE = "127.0.0.1:9";

    private LambdaRuntimeApiClient client = new LambdaRuntimeApiClientImpl(NOWHERE);

    @Override
    public void restoreNext() throws IOException {
        Restore.await();
        Map<String, String> environment = Restore.environment();
        Launcher.sayUp(environment.get("SPIKEBENCH_MARK"));
        client = new LambdaRuntimeApiClientImpl(environment.get("AWS_LAMBDA_RUNTIME_API"));
    }

    @Override
    public void reportInitError(LambdaError error) throws IOException {
        throw new IOException("the function failed before its snapshot was taken");
    }

    @Override
    public void reportRestoreError(LambdaError error) throws IOException {
        client.reportRestoreError(error);
    }

    @Override
    public InvocationRequest nextInvocation() throws IOException {
        return client.nextInvocation();
    }

    @Override
    public InvocationRequest nextInvocationWithExponentialBackoff(LambdaContextLogger logger)
            throws Exception {
        return client.nextInvocationWithExponentialBackoff(logger);
    }

    @Override
    public void reportInvocationSuccess(String requestId, byte[] response) throws IOException {
        client.reportInvocationSuccess(requestId, response);
    }

    @Override
    public void reportInvocationError(String requestId, LambdaError error) throws IOException {
        client.reportInvocationError(requestId, error);
    }
}
