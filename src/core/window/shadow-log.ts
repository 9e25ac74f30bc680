import { otherClassOf } from "./error-class.ts";
import { countPairs, EMPTY_SHADOW, mergeShadow, type ShadowLeft, type ShadowWindow } from "./shadow-window.ts";
import { LatencySketch } from "./sketch.ts";
import { UnitSet } from "./unit-set.ts";
import { type ErrorClass, WINDOW_LIMITS } from "./window.ts";

/** One request and both its answers. */
export interface ShadowPair {
  /** Bucket hash of the unit, or a hash of the request where there is none. */
  readonly key: number;
  readonly hasStableFailed: boolean;
  /** Null when the candidate did not fail. */
  readonly errorClass: ErrorClass | null;
  readonly isOtherStatus: boolean;
  /** How long both took; null where that cannot be compared. */
  readonly ms: { readonly stable: number; readonly candidate: number } | null;
}

/** Counts pairs of one data plane. Reads no clock. */
export class ShadowLog {
  readonly #stable = new LatencySketch();
  readonly #candidate = new LatencySketch();
  /** Units that one arm alone failed before. */
  readonly #told = new UnitSet();
  #counts: ShadowWindow = EMPTY_SHADOW;

  choose(): void {
    this.#counts = { ...this.#counts, chosen: this.#counts.chosen + 1 };
  }

  leave(why: ShadowLeft): void {
    const { left } = this.#counts;
    this.#counts = { ...this.#counts, left: { ...left, [why]: left[why] + 1 } };
  }

  pair({ key, hasStableFailed, errorClass, isOtherStatus, ms }: ShadowPair): void {
    const hasFailed = errorClass !== null;
    const kind = hasFailed
      ? hasStableFailed
        ? "bothFailed"
        : "candidateFailed"
      : hasStableFailed
        ? "stableFailed"
        : "bothOk";
    const { pairs, first, classes, otherStatus } = this.#counts;
    const isOne = kind === "stableFailed" || kind === "candidateFailed";
    this.#counts = {
      ...this.#counts,
      pairs: { ...pairs, [kind]: pairs[kind] + 1 },
      // Repetitions of one request, or one user's, may fail for one reason: only the first says something by itself.
      first: isOne && this.#told.add(key) ? { ...first, [kind]: first[kind] + 1 } : first,
      classes: errorClass === null ? classes : withClass(classes, errorClass),
      otherStatus: otherStatus + (kind === "bothOk" && isOtherStatus ? 1 : 0),
    };
    // A refusal is fast whatever the release is.
    if (kind !== "bothOk" || isOtherStatus || ms === null) return;
    this.#stable.record(ms.stable);
    this.#candidate.record(ms.candidate);
  }

  /** What came since the last time; null where nothing did. */
  drain(): ShadowWindow | null {
    const warm = { stable: this.#stable.drain(), candidate: this.#candidate.drain() };
    const counts = this.#counts;
    this.#counts = EMPTY_SHADOW;
    const { chosen, pairs, left } = counts;
    const isSilent = chosen + countPairs(pairs) + Object.values(left).reduce((sum, count) => sum + count, 0) === 0;
    return isSilent ? null : mergeShadow(counts, { ...EMPTY_SHADOW, warm }); // Classes in their order.
  }
}

function withClass(classes: ShadowWindow["classes"], found: ErrorClass): ShadowWindow["classes"] {
  const isKnown = found in classes || Object.keys(classes).length < WINDOW_LIMITS.namedClasses;
  const name = isKnown ? found : otherClassOf(found);
  return { ...classes, [name]: (classes[name] ?? 0) + 1 };
}
