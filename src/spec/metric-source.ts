/** Where numbers from outside may come from. */
export const METRIC_SOURCES = [
  "prometheus",
  "http-json",
  "datadog",
  "cloudwatch",
  "influxdb-flux",
  "influxdb-influxql",
  "influxdb-sql",
  "newrelic",
  "graphite",
  "clickhouse",
] as const;
export type MetricSourceName = (typeof METRIC_SOURCES)[number];

/** How often a source is asked, how old its numbers may be, and how late it usually shows them. */
interface ReadingTimes {
  readonly everyMs: number;
  readonly maxAgeMs: number;
  readonly lateMs: number;
}

const PROMPT: ReadingTimes = { everyMs: 10_000, maxAgeMs: 60_000, lateMs: 0 };

/**
 * Hosted sources show whole intervals, late, and limit or charge for questions.
 * @source Datadog API rate limits; Amazon CloudWatch user guide, "Metrics concepts", and its pricing of GetMetricData;
 *   New Relic, "NRQL query rate limits"
 */
const OF_HOSTED: Readonly<Partial<Record<string, ReadingTimes>>> = {
  datadog: { everyMs: 30_000, maxAgeMs: 180_000, lateMs: 60_000 },
  cloudwatch: { everyMs: 60_000, maxAgeMs: 300_000, lateMs: 180_000 },
  newrelic: { everyMs: 30_000, maxAgeMs: 180_000, lateMs: 60_000 },
  graphite: { everyMs: 10_000, maxAgeMs: 180_000, lateMs: 60_000 },
};

export function readingTimesOf(source: string): ReadingTimes {
  return OF_HOSTED[source] ?? PROMPT;
}

/** Region in the address of CloudWatch: its public, FIPS and Chinese hosts, and interface endpoints. */
const REGION = /\bmonitoring(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\./;

/** Null when the address names none. */
export function regionOf(url: string): string | null {
  return REGION.exec(url)?.[1] ?? null;
}

/** The account an address of New Relic names as `?account=`; null when it names none. */
export function accountOf(url: string): number | null {
  const text = URL.canParse(url) ? (new URL(url).searchParams.get("account") ?? "") : "";
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}
