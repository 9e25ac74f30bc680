import { SERVING_ARMS } from "../arm.ts";
import type { Problem } from "../problem.ts";
import { ShapeReader } from "../routing/shape.ts";
import type { Bp, EpochMs } from "../unit.ts";
import { readBins, readClasses } from "./admit-counts.ts";
import { readShadowWindow } from "./admit-shadow.ts";
import { readUnitWindow } from "./admit-units.ts";
import { countBins, type SparseBins } from "./sketch.ts";
import {
  type ArmWindow,
  COUNTERS,
  type Counter,
  type Gauge,
  GAUGES,
  type GaugeSum,
  type Timing,
  TIMINGS,
  type TelemetryWindow,
  WINDOW_LIMITS,
} from "./window.ts";

const CODE = "E402";
const NAME = /^[\x21-\x7e]+$/;

/**
 * Reads a window from a gateway, or lists what is wrong with it. Everything is checked before anything is counted: a
 * window is evidence whole or not at all.
 */
export function admitWindow(json: unknown): TelemetryWindow | Problem[] {
  const shape = new ShapeReader(CODE);
  const window = readWindow(shape, json);
  if (window === null || shape.problems.length > 0) return shape.problems;
  return window;
}

function readWindow(shape: ShapeReader, json: unknown): TelemetryWindow | null {
  const fields = shape.object(
    json,
    "",
    ["gatewayId", "service", "seq", "startMs", "endMs", "document", "candidateBp", "arms", "gatewayFailures"],
    ["units", "shadow"],
  );
  if (fields === null) return null;
  const units = fields.units === undefined ? null : readUnitWindow(shape, fields.units, "units");
  const document = shape.object(fields.document, "document", ["epoch", "seq"]);
  const arms = shape.object(fields.arms, "arms", SERVING_ARMS);
  const stable = arms === null ? null : readArm(shape, arms.stable, "arms.stable");
  const candidate = arms === null ? null : readArm(shape, arms.candidate, "arms.candidate");
  if (document === null || stable === null || candidate === null) return null;
  const window: TelemetryWindow = {
    gatewayId: shape.text(fields.gatewayId, "gatewayId", 128, NAME, "visible ASCII"),
    service: shape.text(fields.service, "service", 128, NAME, "visible ASCII"),
    seq: shape.integer(fields.seq, "seq", Number.MAX_SAFE_INTEGER),
    startMs: shape.time(fields.startMs, "startMs") as EpochMs,
    endMs: shape.time(fields.endMs, "endMs") as EpochMs,
    document: {
      epoch: shape.integer(document.epoch, "document.epoch", Number.MAX_SAFE_INTEGER),
      seq: shape.integer(document.seq, "document.seq", Number.MAX_SAFE_INTEGER),
    },
    candidateBp: shape.integer(fields.candidateBp, "candidateBp", 10_000) as Bp,
    arms: { stable, candidate },
    gatewayFailures: shape.integer(fields.gatewayFailures, "gatewayFailures", WINDOW_LIMITS.count),
    ...(units === null ? {} : { units }),
    ...(fields.shadow === undefined ? {} : { shadow: readShadowWindow(shape, fields.shadow, "shadow") }),
  };
  if (window.endMs < window.startMs) shape.refuse("endMs", `found ${window.endMs}, before the start ${window.startMs}`);
  return window;
}

const ARM_KEYS = [
  "requests",
  "failures",
  "requestsAll",
  "failuresAll",
  "classes",
  "warm",
  "cold",
  "probes",
  "newUnits",
  "counters",
  "gauges",
] as const;

function readArm(shape: ShapeReader, json: unknown, path: string): ArmWindow | null {
  const fields = shape.object(json, path, ARM_KEYS, ["timings"]);
  if (fields === null) return null;
  const count = (key: Exclude<keyof ArmWindow, "classes" | "warm" | "cold" | "counters" | "gauges" | "timings">) =>
    shape.integer(fields[key], `${path}.${key}`, WINDOW_LIMITS.count);
  const arm: ArmWindow = {
    requests: count("requests"),
    failures: count("failures"),
    requestsAll: count("requestsAll"),
    failuresAll: count("failuresAll"),
    classes: readClasses(shape, fields.classes, `${path}.classes`),
    warm: readBins(shape, fields.warm, `${path}.warm`),
    cold: readBins(shape, fields.cold, `${path}.cold`),
    probes: count("probes"),
    newUnits: count("newUnits"),
    counters: readCounters(shape, fields.counters, `${path}.counters`),
    gauges: readGauges(shape, fields.gauges, `${path}.gauges`),
    ...(fields.timings === undefined ? {} : { timings: readTimings(shape, fields.timings, `${path}.timings`) }),
  };
  if (shape.problems.length === 0) checkSums(shape, arm, path); // Only counts that were read.
  return arm;
}

/** Rules between counts: a part is never more than its whole, and failures are all classified. */
function checkSums(shape: ShapeReader, arm: ArmWindow, path: string): void {
  const atMost = (key: string, part: number, whole: number, of: string) => {
    if (part > whole) shape.refuse(`${path}.${key}`, `found ${part}, expected at most ${of}, ${whole}`);
  };
  atMost("failures", arm.failures, arm.requests, "requests");
  atMost("failuresAll", arm.failuresAll, arm.requestsAll, "requestsAll");
  atMost("requests", arm.requests, arm.requestsAll, "requestsAll");
  atMost("failures", arm.failures, arm.failuresAll, "failuresAll");
  atMost("warm", countBins(arm.warm) + countBins(arm.cold), arm.requests - arm.failures, "requests − failures");
  atMost("counters.cacheHits", arm.counters.cacheHits ?? 0, arm.counters.cacheLookups ?? 0, "cacheLookups");
  const { suppressedDeliveries = 0, repeatDeliveries = 0 } = arm.counters;
  atMost("counters.suppressedDeliveries", suppressedDeliveries, repeatDeliveries, "repeatDeliveries");
  const classified = Object.values(arm.classes).reduce((sum, count) => sum + count, 0);
  if (classified !== arm.failures) {
    shape.refuse(`${path}.classes`, `sum to ${classified}, expected failures, ${arm.failures}`);
  }
}

/** Named readings of a closed list, in the order of that list; an unknown name is a problem, not an ignored one. */
function readNamed<Name extends string, T>(
  shape: ShapeReader,
  json: unknown,
  path: string,
  names: readonly Name[],
  read: (value: unknown, path: string) => T,
): Readonly<Partial<Record<Name, T>>> {
  const record = shape.record(json, path) ?? {};
  const known: readonly string[] = names;
  for (const key of Object.keys(record))
    if (!known.includes(key)) shape.refuse(path, `found "${key.slice(0, 40)}", expected ${known.join(", ")}`);
  const present = names.filter((name) => Object.hasOwn(record, name));
  const entries = present.map((name) => [name, read(record[name], `${path}.${name}`)] as const);
  return Object.fromEntries(entries) as Partial<Record<Name, T>>;
}

function readCounters(shape: ShapeReader, json: unknown, path: string): ArmWindow["counters"] {
  return readNamed<Counter, number>(shape, json, path, COUNTERS, (value, at) =>
    shape.integer(value, at, WINDOW_LIMITS.count),
  );
}

function readGauges(shape: ShapeReader, json: unknown, path: string): ArmWindow["gauges"] {
  return readNamed<Gauge, GaugeSum>(shape, json, path, GAUGES, (value, at) => {
    const fields = shape.object(value, at, ["sum", "readings"]);
    if (fields === null) return { sum: 0, readings: 1 };
    const readings = shape.integer(fields.readings, `${at}.readings`, WINDOW_LIMITS.count);
    if (readings === 0) shape.refuse(`${at}.readings`, "found 0, expected at least one; leave out what was not read");
    return { sum: shape.time(fields.sum, `${at}.sum`), readings };
  });
}

function readTimings(shape: ShapeReader, json: unknown, path: string): NonNullable<ArmWindow["timings"]> {
  return readNamed<Timing, SparseBins>(shape, json, path, TIMINGS, (value, at) => readBins(shape, value, at));
}
