import { judgeAge } from "../age.ts";
import type { EpochMs } from "../../../core/unit.ts";
import type { MetricOrder, MetricReading } from "../../../ports/metric-source.ts";
import { finiteNumber, momentMs, parseAnswer } from "./answer.ts";
import type { Selector } from "./selectors.ts";

/** Label that tells the parts of the freshness answer apart. */
const LABEL = "sluice_reads";
const CLOCK = "clock";

/** When the samples of one selector were taken. Null: it has none that Prometheus still counts as current. */
interface Evidence {
  readonly selector: Selector;
  /** Of its series with a current sample: the newest sample of all, and the least new of each one's newest. */
  readonly newestMs: EpochMs | null;
  readonly oldestMs: EpochMs | null;
  /** Whether its window holds samples, be they of series that have ended. */
  readonly hasWindow: boolean;
}

/** What a freshness answer says: Prometheus' own time, as it wrote it, and the evidence of every selector. */
export interface Freshness {
  readonly atSeconds: number;
  readonly evidence: readonly Evidence[];
}

const tagged = (expression: string, tag: string) => `label_replace(${expression}, "${LABEL}", "${tag}", "", "")`;

/**
 * The query that asks for the age of what another query reads. An instant vector carries the time of the evaluation
 * and hides samples of up to five minutes ago; `timestamp()` gives the sample's own time, but only of a plain selector.
 * So every selector is asked on its own, in one request, with the server's clock.
 * @source Prometheus documentation, "Staleness" and `timestamp()`; tried with 2.42
 */
export function freshnessQuery(selectors: readonly Selector[]): string {
  const parts = selectors.flatMap(({ text, reachMs }, index) => [
    tagged(`max(timestamp(${text}\n))`, `${index} newest`), // The selector may end in a comment.
    tagged(`min(timestamp(${text}\n))`, `${index} oldest`),
    ...(reachMs === 0 ? [] : [tagged(`count(count_over_time(${text}\n[${Math.ceil(reachMs)}ms]))`, `${index} window`)]),
  ]);
  return [tagged("vector(1)", CLOCK), ...parts].join(" or ");
}

/** Reads the answer to `freshnessQuery`; null when it is not one. */
export function readFreshness(body: string, selectors: readonly Selector[]): Freshness | null {
  const answer = parseAnswer(body);
  if (answer?.data.resultType !== "vector") return null;
  const values = new Map(answer.data.result.map(({ metric, value }) => [metric[LABEL], value]));
  const atSeconds = values.get(CLOCK)?.[0];
  if (atSeconds === undefined) return null;
  const moment = (tag: string): EpochMs | null => {
    const text = values.get(tag)?.[1];
    return text === undefined ? null : momentMs(Math.max(0, finiteNumber(text) ?? 0)); // Unreadable is as old as can be.
  };
  const evidence = selectors.map((selector, index) => ({
    selector,
    newestMs: moment(`${index} newest`),
    oldestMs: moment(`${index} oldest`),
    hasWindow: values.has(`${index} window`),
  }));
  return { atSeconds, evidence };
}

type NoValue = Exclude<MetricReading, { kind: "value" }>;

/**
 * Time of the samples that decide whether one selector is fresh; a reason when they are not; null when it reads none.
 */
function judgeOne(evidence: Evidence, order: MetricOrder, now: EpochMs): EpochMs | NoValue | null {
  const { selector, newestMs, oldestMs, hasWindow } = evidence;
  // A range holds ended series as well, so there the newest sample counts. Without one, every series is read now.
  const atEpochMs = selector.isRange ? newestMs : oldestMs;
  if (atEpochMs !== null) return judgeAge(`a sample of ${selector.text}`, atEpochMs, order, now) ?? atEpochMs;
  if (!hasWindow) return null;
  const reason = `${selector.text} has samples in its window, but nothing reports it any more`;
  return { kind: "no-data", reason };
}

/**
 * Whether everything a query reads is fresh: the time of its oldest deciding sample, or why not. A selector that reads
 * nothing at all is the query's own business (`or vector(0)`), as long as another one does.
 */
export function judgeFreshness(
  { evidence }: Freshness,
  order: MetricOrder,
  now: EpochMs,
): { readonly kind: "fresh"; readonly atEpochMs: EpochMs } | NoValue {
  if (evidence.length === 0) {
    const advice = "its age cannot be told; ask for a series without offset or @ as well";
    return { kind: "error", reason: `the query reads no series of now, so ${advice}` };
  }
  const judged = evidence.map((one) => judgeOne(one, order, now)).filter((one) => one !== null);
  const bad = judged.find((one): one is NoValue => typeof one !== "number");
  if (bad !== undefined) return bad;
  const times = judged.filter((one) => typeof one === "number");
  if (times.length > 0) return { kind: "fresh", atEpochMs: times.reduce((a, b) => (a < b ? a : b)) };
  const names = evidence.map(({ selector }) => selector.text).join(", ");
  return { kind: "no-data", reason: `nothing reports ${names}, so the number rests on no sample` };
}
