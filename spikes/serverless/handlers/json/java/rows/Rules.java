package rows;

import java.math.BigInteger;
import java.util.Set;
import java.util.regex.Pattern;

/** What a row event must hold to be accepted. */
final class Rules {
    private static final Set<String> TYPES = Set.of("insert", "update", "delete");
    private static final Pattern EMAIL = Pattern.compile("[^@]+@[^@]+", Pattern.DOTALL);
    private static final Pattern AMOUNT = Pattern.compile("-?[0-9]{1,15}(\\.[0-9]{1,2})?");
    private static final int LONGEST_NAME = 100;

    private Rules() {}

    /** The first rule that the event breaks; null where it keeps them all. */
    static String reasonToRefuse(RowEvent event) {
        Row row = event.getData();
        if (event.getType() == null || !TYPES.contains(event.getType())) {
            return "type";
        }
        if (!isPositive(row.getId())) {
            return "id";
        }
        if (!isName(row.getName())) {
            return "name";
        }
        if (!matches(EMAIL, row.getEmail())) {
            return "email";
        }
        return matches(AMOUNT, row.getAmount()) ? null : "amount";
    }

    private static boolean isPositive(Object value) {
        if (value instanceof BigInteger) {
            return ((BigInteger) value).signum() > 0;
        }
        return (value instanceof Integer || value instanceof Long)
                && ((Number) value).longValue() > 0;
    }

    private static boolean isName(Object value) {
        if (!(value instanceof String)) {
            return false;
        }
        String name = (String) value;
        return !name.isBlank() && name.codePointCount(0, name.length()) <= LONGEST_NAME;
    }

    private static boolean matches(Pattern pattern, Object value) {
        return value instanceof String && pattern.matcher((String) value).matches();
    }
}
