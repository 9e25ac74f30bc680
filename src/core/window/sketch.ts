/**
 * Latency bins in sparse form: `[bin, count, bin, count, …]`, bins strictly ascending, counts >= 1. This is what
 * crosses the wire, is stored, and is judged; the dense form exists only where latencies are recorded.
 */
export type SparseBins = readonly number[];
