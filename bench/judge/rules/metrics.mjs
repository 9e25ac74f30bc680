// The numbers that the peers' queries ask of a metrics store, from one interval's raw answers.

/**
 * Quantile as the ceil(p·n)-th smallest value. The peers' stores interpolate inside histogram buckets, which is coarser:
 * an exact quantile can only help them.
 * @param {readonly number[]} values
 * @param {number} p
 */
export function quantileOf(values, p) {
  if (values.length === 0) return Number.NaN;
  const ascending = Float64Array.from(values).sort();
  return ascending[Math.max(0, Math.ceil(p * ascending.length) - 1)];
}

/**
 * One metric of one interval. null: no series, an empty query result. NaN: series without a request, 0/0.
 * @param {import("../types.d.mts").MetricName} name
 * @param {import("../types.d.mts").IntervalSample} sample
 * @returns {number | null}
 */
export function metricOf(name, { stable, candidate, coverage }) {
  if (name === "coverage") return coverage;
  if (candidate === null) return null;
  switch (name) {
    case "success-rate":
      return 1 - candidate.failures / candidate.requests;
    case "p95-ms":
      return quantileOf(candidate.latenciesMs, 0.95);
    case "p99-ms":
      return quantileOf(candidate.latenciesMs, 0.99);
    case "p95-ratio":
      return stable === null ? null : quantileOf(candidate.latenciesMs, 0.95) / quantileOf(stable.latenciesMs, 0.95);
    default:
      throw new Error(`found metric "${name}", expected success-rate, p95-ms, p99-ms, p95-ratio or coverage`);
  }
}
