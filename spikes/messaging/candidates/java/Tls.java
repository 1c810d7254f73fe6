package spikes.messaging;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** TLS as a connection asks for it; what it has no CA file for, this Java runtime's own CAs decide. */
final class Tls {
    private Tls() {}

    static boolean isWanted(Map<String, String> to) {
        return to.containsKey("tls");
    }

    static SSLContext context(Map<String, String> to) throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust(to).getTrustManagers(), null);
        return context;
    }

    static TrustManagerFactory trust(Map<String, String> to)
            throws IOException, GeneralSecurityException {
        String caFile = to.get("ca_file");
        TrustManagerFactory trust =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(caFile == null ? null : authorities(Path.of(caFile)));
        return trust;
    }

    /** Says what mends it where {@code connect} meets a certificate that Java does not trust. */
    static <T> T explained(String variable, Callable<T> connect) throws Exception {
        try {
            return connect.call();
        } catch (Exception error) {
            if (isUntrusted(error)) {
                throw new IOException(
                        "this Java runtime does not trust the server's certificate; name the file of"
                                + " the CA that signed it (PEM) in "
                                + variable,
                        error);
            }
            throw error;
        }
    }

    private static boolean isUntrusted(Throwable error) {
        for (Throwable each = error; each != null; each = each.getCause()) {
            if (each instanceof CertificateException) {
                return true;
            }
        }
        return false;
    }

    private static KeyStore authorities(Path pem) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream file = Files.newInputStream(pem)) {
            for (Certificate each :
                    CertificateFactory.getInstance("X.509").generateCertificates(file)) {
                store.setCertificateEntry("ca" + store.size(), each);
            }
        }
        return store;
    }
}
