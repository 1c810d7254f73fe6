package rows;

import java.util.Map;
import java.util.TreeMap;

/** A change of one row, as change-data capture writes it. */
public final class RowEvent {
    private String database;
    private String table;
    private String type;
    private long ts;
    private long xid;
    private boolean commit;
    private Row data = new Row();
    private Map<String, Object> old = new TreeMap<>();

    public String getDatabase() {
        return database;
    }

    public void setDatabase(String database) {
        this.database = database;
    }

    public String getTable() {
        return table;
    }

    public void setTable(String table) {
        this.table = table;
    }

    public String getType() {
        return type;
    }

    public void setType(String type) {
        this.type = type;
    }

    public long getTs() {
        return ts;
    }

    public void setTs(long ts) {
        this.ts = ts;
    }

    public long getXid() {
        return xid;
    }

    public void setXid(long xid) {
        this.xid = xid;
    }

    public boolean isCommit() {
        return commit;
    }

    public void setCommit(boolean commit) {
        this.commit = commit;
    }

    public Row getData() {
        return data;
    }

    public void setData(Row data) {
        this.data = data;
    }

    public Map<String, Object> getOld() {
        return old;
    }

    public void setOld(TreeMap<String, Object> old) {
        this.old = old;
    }
}
