import { mergeBins, type SparseBins } from "./sketch.ts";
import { type ArmWindow, COUNTERS, type ErrorClass, GAUGES, type Timing, TIMINGS } from "./window.ts";

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
    counters: mergeCounters(a.counters, b.counters),
    gauges: mergeGauges(a.gauges, b.gauges),
    ...mergeTimings(a.timings, b.timings),
  };
}

function mergeClasses(a: ArmWindow["classes"], b: ArmWindow["classes"]): ArmWindow["classes"] {
  const merged: Record<ErrorClass, number> = {};
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  for (const name of names) merged[name] = (a[name] ?? 0) + (b[name] ?? 0);
  return merged;
}

function mergeCounters(a: ArmWindow["counters"], b: ArmWindow["counters"]): ArmWindow["counters"] {
  const present = COUNTERS.filter((name) => a[name] !== undefined || b[name] !== undefined);
  return Object.fromEntries(present.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}

function mergeGauges(a: ArmWindow["gauges"], b: ArmWindow["gauges"]): ArmWindow["gauges"] {
  const present = GAUGES.filter((name) => a[name] !== undefined || b[name] !== undefined);
  return Object.fromEntries(
    present.map((name) => {
      const [left, right] = [a[name], b[name]];
      const sum = (left?.sum ?? 0) + (right?.sum ?? 0);
      return [name, { sum, readings: (left?.readings ?? 0) + (right?.readings ?? 0) }];
    }),
  );
}

function mergeTimings(a: ArmWindow["timings"] = {}, b: ArmWindow["timings"] = {}): Pick<ArmWindow, "timings"> {
  const present = TIMINGS.filter((name) => a[name] !== undefined || b[name] !== undefined);
  if (present.length === 0) return {};
  const merged = present.map((name) => [name, mergeBins(a[name] ?? [], b[name] ?? [])] as const);
  return { timings: Object.fromEntries(merged) as Partial<Record<Timing, SparseBins>> };
}
