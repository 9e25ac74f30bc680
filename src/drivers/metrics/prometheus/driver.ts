import type { EpochMs } from "../../../core/unit.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { MetricOrder, MetricReading, MetricSource } from "../../../ports/metric-source.ts";
import { judgeAge } from "../age.ts";
import { type ConnectionConfig, connect, type Send } from "../connection.ts";
import { refusalText } from "./answer.ts";
import { type Freshness, freshnessQuery, judgeFreshness, readFreshness } from "./freshness.ts";
import { readComputed } from "./render.ts";
import { type Reads, selectorsOf } from "./selectors.ts";

/** `url` is the address of the server with its path prefix, if it has one: the part before `/api/v1`. */
export type PrometheusConfig = ConnectionConfig;

const NAME = "metrics/prometheus";

/** Asks for the age of what a query reads. A refusal is kept back: the query itself may be what is wrong. */
async function askFreshness(reads: Reads, send: Send): Promise<Freshness | DriverError | null> {
  if (reads.kind === "unclear") return null;
  try {
    return readFreshness(await send({ form: { query: freshnessQuery(reads.selectors) } }), reads.selectors);
  } catch (error) {
    if (error instanceof DriverError && error.code === "rejected") return error;
    throw error;
  }
}

async function readOnce(order: MetricOrder, now: EpochMs, send: Send): Promise<MetricReading> {
  const reads = selectorsOf(order.query);
  // The age is asked before the number, and the number for the same moment: what was fresh then is what it is built of.
  const freshness = await askFreshness(reads, send);
  const isKnown = freshness !== null && !(freshness instanceof DriverError);
  const time: Record<string, string> = isKnown ? { time: String(freshness.atSeconds) } : {};
  const computed = readComputed(await send({ form: { query: order.query, ...time } }));
  if (computed.kind !== "number") return computed;
  if (freshness instanceof DriverError) throw freshness;
  if (freshness === null) {
    const why = reads.kind === "unclear" ? reads.reason : "the server does not answer `timestamp()` as Prometheus does";
    return { kind: "error", reason: `the age of its samples cannot be told: ${why}` };
  }
  const late = judgeAge("the server's answer", computed.atEpochMs, order, now);
  if (late !== null) return late;
  const judged = judgeFreshness(freshness, order, now);
  return judged.kind === "fresh" ? { kind: "value", value: computed.value, atEpochMs: judged.atEpochMs } : judged;
}

/**
 * Numbers out of Prometheus, or a server that speaks its query API. Two requests a reading, both by POST: the age of
 * the samples, then the number. Repeating a reading changes nothing.
 */
export function prometheus(config: PrometheusConfig): MetricSource {
  const connection = connect(NAME, config, "/api/v1/query", { detailOf: refusalText });
  return { name: "prometheus", read: (order, now) => connection.read((send) => readOnce(order, now, send)) };
}
