package spikes.messaging;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.client.builder.AwsSyncClientBuilder;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.SdkSystemSetting;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.regions.Region;

/** Clients of AWS's messaging services, real or emulated. */
final class Aws {
    private static final int CONNECTIONS = 64;

    private Aws() {}

    /**
     * Sets endpoint, region, credentials and HTTP client, and has its calls counted; the SDK's own
     * retries stay as they are.
     */
    static <B extends AwsClientBuilder<B, C> & AwsSyncClientBuilder<B, C>, C> C client(
            B builder, Map<String, String> to, Calls calls) {
        builder.overrideConfiguration(config -> config.addExecutionInterceptor(calls));
        System.setProperty(SdkSystemSetting.AWS_EC2_METADATA_DISABLED.property(), "true");
        builder.region(Region.of(to.getOrDefault("region", "us-east-1")));
        if (to.containsKey("access_key")) {
            builder.credentialsProvider(StaticCredentialsProvider.create(credentials(to)));
        }
        String endpoint = to.getOrDefault("endpoint_url", "");
        if (!endpoint.isEmpty()) {
            builder.endpointOverride(URI.create(endpoint));
            // Emulators speak the service's JSON; the SDK's own choice for Kinesis is CBOR.
            System.setProperty(SdkSystemSetting.CBOR_ENABLED.property(), "false");
        }
        // Each client has connections of its own and closes them itself (which it does not do for an
        // HTTP client that it is given), so that closing it ends a call that waits.
        return builder.httpClientBuilder(http()).build();
    }

    static String version() {
        return "AWS SDK for Java " + VersionInfo.SDK_VERSION;
    }

    /** What the service or the SDK says went wrong, without the request's id, which never repeats. */
    static String reason(Exception error) {
        if (error instanceof AwsServiceException refusal && refusal.awsErrorDetails() != null) {
            var details = refusal.awsErrorDetails();
            return details.errorCode() + ": " + details.errorMessage();
        }
        return error.getClass().getSimpleName() + ": " + error.getMessage();
    }

    private static ApacheHttpClient.Builder http() {
        return ApacheHttpClient.builder()
                .maxConnections(CONNECTIONS)
                .connectionTimeout(Duration.ofSeconds(5))
                .socketTimeout(Duration.ofSeconds(30));
    }

    private static AwsCredentials credentials(Map<String, String> to) {
        String key = to.get("access_key");
        String secret = to.get("secret_key");
        String token = to.get("session_token");
        return token == null
                ? AwsBasicCredentials.create(key, secret)
                : AwsSessionCredentials.create(key, secret, token);
    }
}
