package rows;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.math.BigDecimal;
import java.util.List;

/** An accepted event, in the words of the application. */
@JsonPropertyOrder({"key", "operation", "name", "amount_cents", "changed"})
public final class Change {
    private final String key;
    private final String operation;
    private final String name;
    private final long amountCents;
    private final List<String> changed;

    private Change(
            String key, String operation, String name, long amountCents, List<String> changed) {
        this.key = key;
        this.operation = operation;
        this.name = name;
        this.amountCents = amountCents;
        this.changed = changed;
    }

    /** Maps an event that keeps all rules. */
    static Change of(RowEvent event) {
        Row row = event.getData();
        return new Change(
                event.getDatabase() + "." + event.getTable() + "/" + row.getId(),
                event.getType(),
                ((String) row.getName()).strip(),
                new BigDecimal((String) row.getAmount()).movePointRight(2).longValueExact(),
                event.getOld() == null ? List.of() : List.copyOf(event.getOld().keySet()));
    }

    public String getKey() {
        return key;
    }

    public String getOperation() {
        return operation;
    }

    public String getName() {
        return name;
    }

    public long getAmountCents() {
        return amountCents;
    }

    public List<String> getChanged() {
        return changed;
    }
}
