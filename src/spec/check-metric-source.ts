import type { Problem } from "../core/problem.ts";
import { factsOf, type KnownDrivers, type WrittenMetric } from "./known-drivers.ts";
import type { Report } from "./report.ts";
import type { Path } from "./source.ts";

/** What a source needs beside its query, told before it is asked for the first time. */
export function checkMetricSource(
  metric: WrittenMetric,
  drivers: Pick<KnownDrivers, "metrics">,
  at: Path,
  problem: Report,
): readonly Problem[] {
  const lacks = factsOf(drivers, metric.source)?.lacks?.(metric) ?? [];
  return lacks.map(({ field, message, fix }) =>
    problem(field === undefined ? at : [...at, field], "E123", message, fix),
  );
}
