import { SERVING_ARMS } from "../arm.ts";
import type { ShapeReader } from "../routing/shape.ts";
import { readBins, readClasses } from "./admit-counts.ts";
import { countPairs, EMPTY_SHADOW, SHADOW_LEFT, type ShadowWindow } from "./shadow-window.ts";
import { countBins } from "./sketch.ts";
import { WINDOW_LIMITS } from "./window.ts";

const PAIRS = ["bothOk", "stableFailed", "candidateFailed", "bothFailed"] as const;

/** Reads what copies showed, or refuses it whole. */
export function readShadowWindow(shape: ShapeReader, json: unknown, path: string): ShadowWindow {
  const fields = shape.object(json, path, ["chosen", "pairs", "first", "otherStatus", "classes", "warm", "left"]);
  const warm = fields === null ? null : shape.object(fields.warm, `${path}.warm`, SERVING_ARMS);
  if (fields === null || warm === null) return EMPTY_SHADOW;
  const count = (value: unknown, at: string) => shape.integer(value, `${path}.${at}`, WINDOW_LIMITS.count);
  const read: ShadowWindow = {
    chosen: count(fields.chosen, "chosen"),
    pairs: readCounts(shape, fields.pairs, `${path}.pairs`, PAIRS),
    first: readCounts(shape, fields.first, `${path}.first`, ["stableFailed", "candidateFailed"]),
    otherStatus: count(fields.otherStatus, "otherStatus"),
    classes: readClasses(shape, fields.classes, `${path}.classes`),
    warm: {
      stable: readBins(shape, warm.stable, `${path}.warm.stable`),
      candidate: readBins(shape, warm.candidate, `${path}.warm.candidate`),
    },
    left: readCounts(shape, fields.left, `${path}.left`, SHADOW_LEFT),
  };
  if (shape.problems.length === 0) checkSums(shape, read, path); // Only counts that were read.
  return read;
}

function readCounts<const Name extends string>(
  shape: ShapeReader,
  json: unknown,
  path: string,
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  const fields = shape.object(json, path, names) as Readonly<Record<Name, unknown>> | null;
  const read = names.map((name) => [name, shape.integer(fields?.[name], `${path}.${name}`, WINDOW_LIMITS.count)]);
  return Object.fromEntries(read) as Record<Name, number>;
}

function checkSums(shape: ShapeReader, { pairs, first, otherStatus, classes, warm }: ShadowWindow, path: string): void {
  const atMost = (part: number, whole: number, at: string) => {
    if (part > whole) shape.refuse(`${path}.${at}`, `found ${part}, expected at most ${whole} of ${countPairs(pairs)}`);
  };
  atMost(first.stableFailed, pairs.stableFailed, "first.stableFailed");
  atMost(first.candidateFailed, pairs.candidateFailed, "first.candidateFailed");
  atMost(otherStatus, pairs.bothOk, "otherStatus");
  atMost(countBins(warm.candidate), pairs.bothOk, "warm.candidate");
  const [stable, candidate] = [countBins(warm.stable), countBins(warm.candidate)];
  if (stable !== candidate) shape.refuse(`${path}.warm`, `found ${stable} and ${candidate} times, expected pairs`);
  const classified = Object.values(classes).reduce((sum, one) => sum + one, 0);
  const failed = pairs.candidateFailed + pairs.bothFailed;
  if (classified !== failed) shape.refuse(`${path}.classes`, `sum to ${classified}, expected ${failed} failures`);
}
