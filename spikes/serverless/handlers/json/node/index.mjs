// Validates and maps a batch of row events, as ../../README.md says.
import { z } from "zod";

const DECIMAL = /^([0-9]{1,15})(?:\.([0-9]{1,2}))?$/;

// In the order in which a row can be refused: zod reports in that of the fields.
const Data = z.object({
  id: z.int().positive(),
  name: z
    .string()
    .refine((text) => [...text].length <= 100)
    .trim()
    .min(1),
  email: z.string().regex(/^[^@]+@[^@]+$/),
  amount: z.string().regex(DECIMAL).transform(inCents),
});

const Row = z.object({
  type: z.enum(["insert", "update", "delete"]),
  database: z.string(),
  table: z.string(),
  data: Data.prefault({}),
  old: z.record(z.string(), z.unknown()).default({}),
});

export const handler = async (event) => {
  const answer = { accepted: [], refused: [], total_cents: 0 };
  event.rows.forEach((row, index) => {
    const { success, data, error } = Row.safeParse(row);
    if (!success) {
      answer.refused.push({ index, reason: error.issues[0].path.at(-1) });
      return;
    }
    const change = changeOf(data);
    answer.accepted.push(change);
    answer.total_cents += change.amount_cents;
  });
  return answer;
};

function changeOf({ type, database, table, data, old }) {
  return {
    key: `${database}.${table}/${data.id}`,
    operation: type,
    name: data.name,
    amount_cents: data.amount,
    changed: Object.keys(old).sort(),
  };
}

function inCents(amount) {
  const [, whole, places = ""] = DECIMAL.exec(amount);
  return Number(whole + places.padEnd(2, "0"));
}
