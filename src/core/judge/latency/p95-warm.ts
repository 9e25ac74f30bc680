import type { Block } from "../block.ts";
import { p95Gate } from "./p95-gate.ts";

/** Every block. (GQ-14, CW-3, CW-5) */
export const p95Warm = p95Gate({
  name: "p95-warm",
  condition: "p95_warm",
  says: "Is the candidate's warm p95 slower than stable's in the same seconds?",
  unit: "ratio to stable's warm p95",
  from: "gateway",
  means: "answers more slowly than stable in the same seconds",
  counts: "requests",
  comparedIn: (block) => block,
  compares: "warm answer",
  needs: "warm answers of both arms",
});

/** Loads of the two arms that still count as equal. @source definitions.md §8 "Equal load" */
const EQUAL_LOAD = 0.1;

/**
 * Only blocks in which one instance of each arm carried about the same load: a canary at 1 % idles, and idling is fast.
 */
function isEqualLoad({ arms }: Block): boolean {
  const [stable, candidate] = [arms.stable.gauges.instanceConcurrency, arms.candidate.gauges.instanceConcurrency];
  if (stable === undefined || candidate === undefined) return false;
  const [a, b] = [stable.sum / stable.readings, candidate.sum / candidate.readings];
  return Math.abs(a - b) <= EQUAL_LOAD * Math.max(a, b);
}

/** The same comparison at equal load (GQ-17). */
export const p95EqualLoad = p95Gate({
  name: "p95-equal-load",
  condition: "p95_equal_load",
  says: "Is the candidate's warm p95 slower than stable's where instances carry the same load?",
  unit: "the same, where instances carry equal load",
  from: "gateway, `instanceConcurrency`",
  means: "answers more slowly than stable at the same load",
  counts: "requests",
  comparedIn: (block) => (isEqualLoad(block) ? block : null),
  compares: "warm answer at equal load",
  needs: "warm answers while instances of both arms carry the same load (instanceConcurrency of both arms within 10 %)",
});
