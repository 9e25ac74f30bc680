import type { MetricReading } from "../../../ports/metric-source.ts";
import type { Refusals } from "../connection.ts";
import type { Table } from "./table.ts";

/** A table, or why an answer is none. */
export type Told = Table | Exclude<MetricReading, { kind: "value" }>;

/** What differs between servers that answer SQL by HTTP GET in JSON: one of these is all a further one takes. */
export interface Dialect {
  readonly path: string;
  /** How the query is sent, beside what the address has. */
  search(query: string): Readonly<Record<string, string>>;
  tableOf(document: unknown): Told;
  readonly refusals: Refusals;
}
