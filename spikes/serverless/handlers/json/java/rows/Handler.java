package rows;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/** Parses a batch of row events, refuses those that are wrong and maps the others. */
public final class Handler implements RequestStreamHandler {
    private final ObjectMapper mapper =
            JsonMapper.builder()
                    .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                    .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .build();

    @Override
    public void handleRequest(InputStream input, OutputStream output, Context context)
            throws IOException {
        mapper.writeValue(output, answer(mapper.readValue(input, Batch.class)));
    }

    private static Answer answer(Batch batch) {
        Answer answer = new Answer();
        List<RowEvent> rows = batch.getRows();
        for (int index = 0; index < rows.size(); index++) {
            RowEvent row = rows.get(index);
            String reason = Rules.reasonToRefuse(row);
            if (reason == null) {
                answer.accept(Change.of(row));
            } else {
                answer.refuse(new Refusal(index, reason));
            }
        }
        return answer;
    }
}
