package rows;

/** An event that breaks a rule: its place in the batch, and which rule. */
public final class Refusal {
    private final int index;
    private final String reason;

    Refusal(int index, String reason) {
        this.index = index;
        this.reason = reason;
    }

    public int getIndex() {
        return index;
    }

    public String getReason() {
        return reason;
    }
}
