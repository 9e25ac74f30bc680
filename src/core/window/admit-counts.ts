import type { ShapeReader } from "../routing/shape.ts";
import { isErrorClass } from "./error-class.ts";
import { BIN_COUNT, type SparseBins } from "./sketch.ts";
import { type ArmWindow, type ErrorClass, WINDOW_LIMITS } from "./window.ts";

/** How often each class of error was seen. */
export function readClasses(shape: ShapeReader, json: unknown, path: string): ArmWindow["classes"] {
  const record = shape.record(json, path);
  const entries = Object.entries(record ?? {});
  const classes: Record<ErrorClass, number> = {};
  if (entries.length > WINDOW_LIMITS.classes) {
    shape.refuse(path, `found ${entries.length} classes, expected at most ${WINDOW_LIMITS.classes}`);
    return classes;
  }
  for (const [name, count] of entries) {
    if (isErrorClass(name)) classes[name] = shape.integer(count, `${path}.${name}`, WINDOW_LIMITS.count);
    else shape.refuse(path, `found a class that is not stage|family|code`);
  }
  return classes;
}

/** Latencies by bin. */
export function readBins(shape: ShapeReader, json: unknown, path: string): SparseBins {
  if (!Array.isArray(json) || json.length % 2 !== 0 || json.length > 2 * WINDOW_LIMITS.bins) {
    shape.refuse(path, `expected [bin, count, …] of at most ${WINDOW_LIMITS.bins} bins`);
    return [];
  }
  let previous = -1;
  for (let i = 0; i < json.length; i += 2) {
    const bin: unknown = json[i];
    const count: unknown = json[i + 1];
    const isBin = typeof bin === "number" && Number.isInteger(bin) && bin > previous && bin < BIN_COUNT;
    const isCount = typeof count === "number" && Number.isInteger(count) && count >= 1 && count <= WINDOW_LIMITS.count;
    if (!isBin || !isCount) {
      shape.refuse(`${path}[${i}]`, `expected ascending bins below ${BIN_COUNT} with counts 1..${WINDOW_LIMITS.count}`);
      return [];
    }
    previous = bin;
  }
  return json as number[];
}
