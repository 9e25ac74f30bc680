import type { EpochMs } from "../../../core/unit.ts";
import { judgeAge } from "../age.ts";
import type { MetricOrder, MetricReading } from "../../../ports/metric-source.ts";
import { quote } from "../document.ts";
import { timeOf } from "../moment.ts";

/** An answer as rows under names, whatever the server writes. A cell is undefined or null where there is nothing. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

const TIME = "time";
const ADVICE = "select one number and its time: SELECT avg(ms) AS value, max(at) AS time FROM …";

/**
 * The only number of the only row, and the time beside it, whose column is called `time`. SQL gives no age of its own:
 * a count over nothing is 0, and 0 without a time would be no data taken for a number.
 */
export function readTable({ columns, rows }: Table, order: MetricOrder, now: EpochMs): MetricReading {
  const [row] = rows;
  if (row === undefined) return { kind: "no-data", reason: "the answer holds no row" };
  const timeAt = columns.indexOf(TIME);
  if (columns.length !== 2 || timeAt < 0) {
    return { kind: "error", reason: `found the columns ${quote(columns)}, expected ${TIME} and one more; ${ADVICE}` };
  }
  if (rows.length > 1) {
    const advice = "aggregate, or end the query with ORDER BY time DESC LIMIT 1";
    return { kind: "error", reason: `found ${rows.length} rows, expected one; ${advice}` };
  }
  const [value, time] = [row[1 - timeAt] ?? null, row[timeAt] ?? null];
  if (value === null) return { kind: "no-data", reason: `the column ${quote(columns[1 - timeAt])} is null` };
  if (typeof value !== "number" || !Number.isFinite(value)) {
    const found = typeof value === "number" ? String(value) : `${quote(value)} (${typeof value})`;
    return { kind: "error", reason: `the number is ${found}, expected a finite number` };
  }
  // The newest of no rows: null in most servers, the beginning of 1970 in ClickHouse.
  if (time === null || time === 0) return { kind: "no-data", reason: "the time is empty: the query met no rows" };
  const at = timeOf(time);
  if (typeof at !== "number") return at;
  return judgeAge("the number", at, order, now) ?? { kind: "value", value, atEpochMs: at };
}
