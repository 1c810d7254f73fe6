package rows;

import java.util.List;

/** What an invoke gets: row events in the order of the database's log. */
public final class Batch {
    private List<RowEvent> rows = List.of();

    public List<RowEvent> getRows() {
        return rows;
    }

    public void setRows(List<RowEvent> rows) {
        this.rows = rows;
    }
}
