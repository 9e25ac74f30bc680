import { BIN_COUNT, type SparseBins } from "./sketch.ts";

/**
 * Bytes of a sketch: for each bin the distance to the bin before it (to −1 for the first) and the count, as LEB128
 * varints, least significant group first. Equal sketches have equal bytes.
 */
export function encodeBins(bins: SparseBins): Uint8Array {
  const bytes: number[] = [];
  let previous = -1;
  for (let i = 0; i < bins.length; i += 2) {
    const bin = bins[i] as number;
    pushVarint(bytes, bin - previous);
    pushVarint(bytes, bins[i + 1] as number);
    previous = bin;
  }
  return Uint8Array.from(bytes);
}

/**
 * The sketch in `bytes`, or null when they are none: truncated, a bin out of range, a zero, a count beyond 2⁵³ − 1, or
 * a number written longer than needed (one sketch has one encoding).
 */
export function decodeBins(bytes: Uint8Array): SparseBins | null {
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    let value = 0;
    let scale = 1;
    let byte: number;
    do {
      if (at >= bytes.length) return null;
      byte = bytes[at++] as number;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (value > Number.MAX_SAFE_INTEGER) return null;
    } while (byte >= 0x80 && scale <= 2 ** 56);
    if (byte >= 0x80 || byte === 0) return null; // No end; or a zero, or a last group that adds nothing.
    numbers.push(value);
  }
  if (numbers.length % 2 !== 0) return null;
  let bin = -1;
  for (let i = 0; i < numbers.length; i += 2) {
    bin += numbers[i] as number;
    if (bin >= BIN_COUNT) return null;
    numbers[i] = bin;
  }
  return numbers;
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
}
