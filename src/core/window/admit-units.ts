import { SERVING_ARMS } from "../arm.ts";
import { ALL_NAMES } from "../assign/unit-name.ts";
import type { ShapeReader } from "../routing/shape.ts";
import { SEGMENT_LABEL, SEGMENT_LIMITS } from "../routing/segments.ts";
import { SIGNALS } from "./signals.ts";
import {
  SEGMENT_ROW,
  type SegmentLists,
  type SegmentWindow,
  type SignalLists,
  type SignalWindow,
  UNIT_ROW,
  type UnitLists,
  type UnitWindow,
  WINDOW_LIMITS,
} from "./window.ts";

const NAME_MAX = ALL_NAMES - 1;
const BP_MAX = 10_000;

/** Reads the units of a window, or refuses them whole. */
export function readUnitWindow(shape: ShapeReader, json: unknown, path: string): UnitWindow | null {
  const fields = shape.object(json, path, ["below", "failingBelow", "arms"], ["segments", "signals"]);
  const arms = fields === null ? null : shape.object(fields.arms, `${path}.arms`, SERVING_ARMS);
  if (fields === null || arms === null) return null;
  const segments = fields.segments === undefined ? null : readSegments(shape, fields.segments, `${path}.segments`);
  const signals = fields.signals === undefined ? null : readSignals(shape, fields.signals, `${path}.signals`);
  return {
    ...(segments === null ? {} : { segments }),
    ...(signals === null ? {} : { signals }),
    below: shape.integer(fields.below, `${path}.below`, ALL_NAMES),
    failingBelow: shape.integer(fields.failingBelow, `${path}.failingBelow`, ALL_NAMES),
    arms: {
      stable: readLists(shape, arms.stable, `${path}.arms.stable`),
      candidate: readLists(shape, arms.candidate, `${path}.arms.candidate`),
    },
  };
}

function readSegments(shape: ShapeReader, json: unknown, path: string): SegmentWindow | null {
  const fields = shape.object(json, path, ["below", "failingBelow", "labels", "arms"]);
  const arms = fields === null ? null : shape.object(fields.arms, `${path}.arms`, SERVING_ARMS);
  if (fields === null || arms === null) return null;
  const bounds = { min: 1, max: WINDOW_LIMITS.segments };
  const labels = shape.list(fields.labels, `${path}.labels`, bounds, (label, at) =>
    shape.text(label, at, SEGMENT_LIMITS.label, SEGMENT_LABEL, "a segment such as tenant=acme or tenant#9f3a2c11"),
  );
  shape.unique(labels, `${path}.labels`);
  const placeMax = Math.max(0, labels.length - 1);
  return {
    below: shape.integer(fields.below, `${path}.below`, ALL_NAMES),
    failingBelow: shape.integer(fields.failingBelow, `${path}.failingBelow`, ALL_NAMES),
    labels,
    arms: {
      stable: readSegmentLists(shape, arms.stable, `${path}.arms.stable`, placeMax),
      candidate: readSegmentLists(shape, arms.candidate, `${path}.arms.candidate`, placeMax),
    },
  };
}

function readSegmentLists(shape: ShapeReader, json: unknown, path: string, placeMax: number): SegmentLists {
  const fields = shape.object(json, path, ["rows", "failing"]);
  if (fields === null) return { rows: [], failing: [] };
  const { count, segmentUnits, failing } = WINDOW_LIMITS;
  const rows = readFlat(shape, fields.rows, `${path}.rows`, [NAME_MAX, placeMax, count, count], segmentUnits);
  for (let at = 0; at < rows.length; at += SEGMENT_ROW) {
    const [requests = 0, failures = 0] = rows.slice(at + 2, at + SEGMENT_ROW);
    if (failures > requests) shape.refuse(`${path}.rows[${at}]`, "expected failures within requests");
  }
  return { rows, failing: readFlat(shape, fields.failing, `${path}.failing`, [NAME_MAX, BP_MAX, placeMax], failing) };
}

function readSignals(shape: ShapeReader, json: unknown, path: string): SignalWindow | null {
  const fields = shape.object(json, path, ["below", "metBelow", "names", "arms"]);
  const arms = fields === null ? null : shape.object(fields.arms, `${path}.arms`, SERVING_ARMS);
  if (fields === null || arms === null) return null;
  const bounds = { min: 1, max: SIGNALS.length };
  const names = shape.list(fields.names, `${path}.names`, bounds, (name, at) => shape.literal(name, at, SIGNALS));
  shape.unique(names, `${path}.names`);
  const placeMax = Math.max(0, names.length - 1);
  return {
    below: shape.integer(fields.below, `${path}.below`, ALL_NAMES),
    metBelow: shape.integer(fields.metBelow, `${path}.metBelow`, ALL_NAMES),
    names,
    arms: {
      stable: readSignalLists(shape, arms.stable, `${path}.arms.stable`, placeMax),
      candidate: readSignalLists(shape, arms.candidate, `${path}.arms.candidate`, placeMax),
    },
  };
}

function readSignalLists(shape: ShapeReader, json: unknown, path: string, placeMax: number): SignalLists {
  const fields = shape.object(json, path, ["rows", "met"]);
  if (fields === null) return { rows: [], met: [] };
  const { count, signalRows, signalMet } = WINDOW_LIMITS;
  return {
    rows: readFlat(shape, fields.rows, `${path}.rows`, [NAME_MAX, placeMax, count, count], signalRows),
    met: readFlat(shape, fields.met, `${path}.met`, [NAME_MAX, BP_MAX, placeMax], signalMet),
  };
}

function readLists(shape: ShapeReader, json: unknown, path: string): UnitLists {
  const fields = shape.object(json, path, ["rows", "failing"]);
  if (fields === null) return { rows: [], failing: [] };
  const { count, units, failing, classes } = WINDOW_LIMITS;
  const rows = readFlat(shape, fields.rows, `${path}.rows`, [NAME_MAX, BP_MAX, count, count, count, count], units);
  for (let at = 0; at < rows.length; at += UNIT_ROW) {
    const [requests = 0, failures = 0, warm = 0, slow = 0] = rows.slice(at + 2, at + UNIT_ROW);
    if (failures > requests || warm > requests || slow > warm)
      shape.refuse(
        `${path}.rows[${at}]`,
        "expected failures and warm answers within requests, and slow ones within warm",
      );
  }
  return {
    rows,
    failing: readFlat(shape, fields.failing, `${path}.failing`, [NAME_MAX, BP_MAX, classes - 1], failing),
  };
}

/** A flat list of entries whose numbers are integers up to the limits, entry by entry. */
function readFlat(
  shape: ShapeReader,
  json: unknown,
  path: string,
  limits: readonly number[],
  entriesMax: number,
): readonly number[] {
  const width = limits.length;
  if (!Array.isArray(json) || json.length % width !== 0 || json.length > width * entriesMax) {
    shape.refuse(path, `expected at most ${entriesMax} entries of ${width} numbers`);
    return [];
  }
  const list: readonly unknown[] = json;
  const numbers = list.filter(
    (value, at): value is number =>
      typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= (limits[at % width] ?? 0),
  );
  if (numbers.length === list.length) return numbers;
  shape.refuse(path, `expected entries of integers up to ${limits.join(", ")}`);
  return [];
}
