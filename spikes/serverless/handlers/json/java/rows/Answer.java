package rows;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.ArrayList;
import java.util.List;

/** What an invoke answers. */
@JsonPropertyOrder({"accepted", "refused", "total_cents"})
public final class Answer {
    private final List<Change> accepted = new ArrayList<>();
    private final List<Refusal> refused = new ArrayList<>();
    private long totalCents;

    void accept(Change change) {
        accepted.add(change);
        totalCents = Math.addExact(totalCents, change.getAmountCents());
    }

    void refuse(Refusal refusal) {
        refused.add(refusal);
    }

    public List<Change> getAccepted() {
        return accepted;
    }

    public List<Refusal> getRefused() {
        return refused;
    }

    public long getTotalCents() {
        return totalCents;
    }
}
