import { mergeBins } from "./sketch.ts";
import type { ArmWindow, ErrorClass } from "./window.ts";

/** Both windows of one arm together. Commutative and associative to the last byte: counts add, classes are sorted. */
export function mergeArmWindows(a: ArmWindow, b: ArmWindow): ArmWindow {
  return {
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
    requestsAll: a.requestsAll + b.requestsAll,
    failuresAll: a.failuresAll + b.failuresAll,
    classes: mergeClasses(a.classes, b.classes),
    warm: mergeBins(a.warm, b.warm),
    cold: mergeBins(a.cold, b.cold),
    probes: a.probes + b.probes,
    newUnits: a.newUnits + b.newUnits,
  };
}

function mergeClasses(a: ArmWindow["classes"], b: ArmWindow["classes"]): ArmWindow["classes"] {
  const merged: Record<ErrorClass, number> = {};
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  for (const name of names) merged[name] = (a[name] ?? 0) + (b[name] ?? 0);
  return merged;
}
