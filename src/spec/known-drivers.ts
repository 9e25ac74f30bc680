import { suggestion } from "../core/did-you-mean.ts";
import type { Problem } from "../core/problem.ts";
import type { RolloutDocument } from "./rollout-schema.ts";
import { valueAt } from "./shape.ts";
import { shown } from "./shown.ts";
import { type Path, pathText, type Source } from "./source.ts";

/** A metric as a document has it. */
export type WrittenMetric = NonNullable<RolloutDocument["spec"]["metrics"]>[number];

/** How often a source is asked, how old its numbers may be, and how late it usually shows them. */
export interface ReadingTimes {
  readonly everyMs: number;
  readonly maxAgeMs: number;
  readonly lateMs: number;
}

/** Of a source that shows a number as soon as there is one. */
export const PROMPT: ReadingTimes = { everyMs: 10_000, maxAgeMs: 60_000, lateMs: 0 };

/** What a metric does not have and its source needs. */
export interface Lack {
  /** The field it is about; absent for the metric as a whole. */
  readonly field?: keyof WrittenMetric;
  readonly message: string;
  readonly fix: string;
}

/** What a driver of metrics says of itself to those who read documents. */
export interface MetricSourceFacts {
  /** Its name in documents. */
  readonly product: string;
  readonly times: ReadingTimes;
  /** What a metric lacks beside its query, told before the source is asked for the first time; absent: nothing. */
  readonly lacks?: (metric: WrittenMetric) => readonly Lack[];
}

/** The drivers that documents may name. Which there are is the host's to say: no product is named in this layer. */
export interface KnownDrivers {
  readonly metrics: readonly MetricSourceFacts[];
  readonly traffic: readonly string[];
  /** Of what is cut over beside traffic. */
  readonly resources: Readonly<Record<"index" | "queue" | "cache", readonly string[]>>;
}

/** What is known of a source; null for a name that no driver has. */
export function factsOf({ metrics }: Pick<KnownDrivers, "metrics">, source: string): MetricSourceFacts | null {
  return metrics.find(({ product }) => product === source) ?? null;
}

/** How a source is asked; the plan of a metric whose driver is gone keeps what every source has. */
export function readingTimesOf(drivers: Pick<KnownDrivers, "metrics">, source: string): ReadingTimes {
  return factsOf(drivers, source)?.times ?? PROMPT;
}

/** Whether a place of a document is the name of a driver, which {@link checkDriverNames} looks at. */
export function isDriverName(path: readonly PropertyKey[]): boolean {
  return /^spec\.(route\.driver|metrics\.\d+\.source)$/.test(path.map(String).join("."));
}

/** Drivers that a document names and nobody has. They are told beside whatever else is wrong with it. */
export function checkDriverNames(source: Source, { metrics, traffic }: KnownDrivers): readonly Problem[] {
  const written = valueAt(source.value, ["spec", "metrics"]);
  const products = metrics.map(({ product }) => product);
  const unknown = (path: Path, field: string, known: readonly string[]): readonly Problem[] => {
    const whole = valueAt(source.value, path);
    if (typeof whole !== "object" || whole === null) return [];
    const found = valueAt(whole, [field]);
    if (typeof found === "string" && known.includes(found)) return [];
    const here = { path: pathText([...path, field]), at: source.locate([...path, field]) };
    if (found === undefined)
      return [{ ...here, code: "E102", message: `missing ${here.path}, expected ${known.join(" or ")}` }];
    return [{ ...here, code: "E108", message: `unknown value ${shown(found)}; ${suggestion(String(found), known)}` }];
  };
  return [
    ...unknown(["spec", "route"], "driver", traffic),
    ...(Array.isArray(written) ? written : []).flatMap((_, index) =>
      unknown(["spec", "metrics", index], "source", products),
    ),
  ];
}
