import { z } from "zod";
import type { SegmentLists, SegmentWindow, SignalLists, SignalWindow } from "../core/window/window.ts";
import type { PairCounts, ShadowWindow } from "../core/window/shadow-window.ts";
import { SIGNALS } from "../core/window/signals.ts";
import {
  type ArmWindow,
  COUNTERS,
  type Counter,
  type Gauge,
  GAUGES,
  type TelemetryWindow,
  type Timing,
  TIMINGS,
  type UnitLists,
  type UnitWindow,
} from "../core/window/window.ts";
import { coreBp, coreMs, count, countByName, documentNumber, type FieldsOf } from "./wire.ts";

const number = z.number();
const rows = z.array(number);
const bins = z.array(number).describe("latency bins: bin, count, bin, count, … with bins ascending");

/** Optional values by name; a name that is not in the list is refused. */
function byName<Name extends string, Value extends z.ZodType>(names: readonly Name[], value: Value) {
  const fields = names.map((name) => [name, z.exactOptional(value)] as const);
  return z.strictObject(Object.fromEntries(fields) as Record<Name, z.ZodExactOptional<Value>>);
}

const gauge = z.strictObject({ sum: number, readings: count });

/** What one arm answered in one window. */
export const armWindow = z.strictObject({
  requests: count,
  failures: count,
  requestsAll: count,
  failuresAll: count,
  classes: countByName,
  warm: bins,
  cold: bins,
  probes: count,
  newUnits: count,
  counters: byName<Counter, typeof count>(COUNTERS, count).describe(
    "0: watched, and it did not happen; absent: not watched",
  ),
  gauges: byName<Gauge, typeof gauge>(GAUGES, gauge),
  timings: byName<Timing, typeof bins>(TIMINGS, bins).exactOptional(),
} satisfies FieldsOf<ArmWindow>) satisfies z.ZodType<ArmWindow>;

const both = <Lists extends z.ZodType>(lists: Lists) => z.strictObject({ stable: lists, candidate: lists });

const unitLists = z.strictObject({ rows, failing: rows } satisfies FieldsOf<UnitLists>);
const segmentLists = z.strictObject({ rows, failing: rows } satisfies FieldsOf<SegmentLists>);
const signalLists = z.strictObject({ rows, met: rows } satisfies FieldsOf<SignalLists>);

const segments = z.strictObject({
  below: number,
  failingBelow: number,
  labels: z.array(z.string()),
  arms: both(segmentLists),
} satisfies FieldsOf<SegmentWindow>);

const signals = z.strictObject({
  below: number,
  metBelow: number,
  names: z.array(z.enum(SIGNALS)),
  arms: both(signalLists),
} satisfies FieldsOf<SignalWindow>);

const units = z.strictObject({
  below: number.describe("users with names below this are listed; 2^32 when all are"),
  failingBelow: number,
  arms: both(unitLists),
  segments: segments.exactOptional(),
  signals: signals.exactOptional(),
} satisfies FieldsOf<UnitWindow>);

const pairs = z.strictObject({
  bothOk: count,
  stableFailed: count,
  candidateFailed: count,
  bothFailed: count,
} satisfies FieldsOf<PairCounts>);

/** What copies showed. */
export const shadowWindow = z.strictObject({
  chosen: count,
  pairs,
  first: z.strictObject({ stableFailed: count, candidateFailed: count }),
  otherStatus: count,
  classes: countByName,
  warm: both(bins),
  left: z.strictObject({ busy: count, body: count, gone: count, late: count } satisfies FieldsOf<ShadowWindow["left"]>),
} satisfies FieldsOf<ShadowWindow>) satisfies z.ZodType<ShadowWindow>;

/** One gateway's or service's traffic between two instants. Which counts fit each other is checked beyond its shape. */
export const telemetryWindow = z.strictObject({
  gatewayId: z.string().max(128),
  service: z.string().max(128),
  seq: count,
  startMs: coreMs,
  endMs: coreMs,
  document: documentNumber,
  candidateBp: coreBp,
  arms: both(armWindow),
  gatewayFailures: count,
  units: units.exactOptional(),
  shadow: shadowWindow.exactOptional(),
} satisfies FieldsOf<TelemetryWindow>) satisfies z.ZodType<TelemetryWindow>;
