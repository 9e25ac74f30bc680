/**
 * Latency bins in sparse form: `[bin, count, bin, count, …]`, bins strictly ascending, counts >= 1. This is what
 * crosses the wire, is stored, and is judged; the dense form exists only where latencies are recorded.
 */
export type SparseBins = readonly number[];

/** Bits of the mantissa that choose the bin inside an octave: 64 bins, each at most 1/64 of its value wide. */
const BIN_BITS = 6;
const MIN_EXPONENT = -7;
const MAX_EXPONENT = 22;
/** Latencies below it (about 0.01 ms) share the first bin, those from the maximum on (about 70 minutes) the last. */
export const LATENCY_MIN_MS = 2 ** MIN_EXPONENT;
export const LATENCY_MAX_MS = 2 ** MAX_EXPONENT;
export const BIN_COUNT = (MAX_EXPONENT - MIN_EXPONENT) << BIN_BITS;

const MANTISSA_SHIFT = 20 - BIN_BITS;
const FIRST = (1_023 + MIN_EXPONENT) << BIN_BITS;
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** Index of the word with sign, exponent and leading mantissa bits, whatever the byte order of the machine. */
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/**
 * Bin of a latency, 0..BIN_COUNT − 1: exponent and leading mantissa bits of the double, so that a bin costs two loads
 * and a shift. NaN goes to the last bin: a broken measurement must not look fast.
 */
export function binOf(ms: number): number {
  if (ms < LATENCY_MIN_MS) return 0;
  if (!(ms < LATENCY_MAX_MS)) return BIN_COUNT - 1;
  float[0] = ms;
  return ((words[HIGH] as number) >>> MANTISSA_SHIFT) - FIRST;
}

/** Smallest latency of a bin. */
export function lowerEdgeMs(bin: number): number {
  const octave = bin >> BIN_BITS;
  const step = (bin & ((1 << BIN_BITS) - 1)) / (1 << BIN_BITS);
  return 2 ** (MIN_EXPONENT + octave) * (1 + step);
}

/** First latency above a bin. */
export function upperEdgeMs(bin: number): number {
  return lowerEdgeMs(bin + 1);
}

/** Records latencies; keeps the range it touched, so that draining a quiet window is cheap. */
export class LatencySketch {
  /** Doubles, so that a sum of many windows cannot wrap around. */
  readonly #counts = new Float64Array(BIN_COUNT);
  #low = BIN_COUNT;
  #high = -1;

  record(ms: number): void {
    const bin = binOf(ms);
    this.#counts[bin] = (this.#counts[bin] as number) + 1;
    if (bin < this.#low) this.#low = bin;
    if (bin > this.#high) this.#high = bin;
  }

  /** Adds what another sketch holds: the cheapest way to merge many. */
  add(bins: SparseBins): void {
    if (bins.length === 0) return;
    for (let i = 0; i < bins.length; i += 2) {
      const bin = bins[i] as number;
      this.#counts[bin] = (this.#counts[bin] as number) + (bins[i + 1] as number);
    }
    this.#low = Math.min(this.#low, bins[0] as number);
    this.#high = Math.max(this.#high, bins[bins.length - 2] as number);
  }

  /** What was recorded since the last drain; empties the sketch. */
  drain(): SparseBins {
    const bins: number[] = [];
    for (let bin = this.#low; bin <= this.#high; bin++) {
      const count = this.#counts[bin] as number;
      if (count > 0) bins.push(bin, count);
    }
    if (bins.length > 0) this.#counts.fill(0, this.#low, this.#high + 1);
    this.#low = BIN_COUNT;
    this.#high = -1;
    return bins;
  }
}

/** Both together. Commutative and associative to the last byte, because counts are integers. */
export function mergeBins(a: SparseBins, b: SparseBins): SparseBins {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const binA = a[i] as number;
    const binB = b[j] as number;
    if (binA === binB) merged.push(binA, (a[i + 1] as number) + (b[j + 1] as number));
    else if (binA < binB) merged.push(binA, a[i + 1] as number);
    else merged.push(binB, b[j + 1] as number);
    if (binA <= binB) i += 2;
    if (binB <= binA) j += 2;
  }
  for (; i < a.length; i++) merged.push(a[i] as number);
  for (; j < b.length; j++) merged.push(b[j] as number);
  return merged;
}

/** Number of latencies. */
export function countBins(bins: SparseBins): number {
  let count = 0;
  for (let i = 1; i < bins.length; i += 2) count += bins[i] as number;
  return count;
}

/**
 * Quantile in ms: the middle of the bin that holds the ceil(p·n)-th smallest latency; null when there is none.
 * Relative error at most 1/128 (0.78 %) inside the range, before and after any merge.
 * @param p 0..1
 */
export function quantileOf(bins: SparseBins, p: number): number | null {
  const rank = Math.max(1, Math.ceil(p * countBins(bins)));
  let below = 0;
  for (let i = 0; i < bins.length; i += 2) {
    below += bins[i + 1] as number;
    const bin = bins[i] as number;
    if (below >= rank) return (lowerEdgeMs(bin) + upperEdgeMs(bin)) / 2;
  }
  return null;
}

/** Latencies in bins entirely above the bin that holds `thresholdMs`; those in that bin itself do not count. */
export function countAbove(bins: SparseBins, thresholdMs: number): number {
  const limit = binOf(thresholdMs);
  let count = 0;
  for (let i = bins.length - 2; i >= 0 && (bins[i] as number) > limit; i -= 2) count += bins[i + 1] as number;
  return count;
}
