import { PIN_NAMES, PIN_TEXT, pinProblem, REVISION, type Serves } from "./schema-lock.ts";
import type { ShapeReader } from "./shape.ts";

/**
 * Reads what a revision serves; what is wrong goes to `shape`. All three fields are there, null where a pin is not
 * locked. What would refuse everything, an empty list or range, is a problem.
 */
export function readServes(shape: ShapeReader, json: unknown, path: string): Serves | null {
  const fields = shape.object(json, path, PIN_NAMES);
  if (fields === null) return null;
  const revision = (value: unknown, at: string) => shape.text(value, at, 18, REVISION, "sc-<int>");
  const values = (value: unknown, at: string) =>
    value === null
      ? null
      : shape.list(value, at, { min: 1, max: 16 }, (item, itemAt) =>
          shape.text(item, itemAt, 256, PIN_TEXT, "visible ASCII"),
        );
  const rangeAt = `${path}.schemaRev`;
  const range = fields.schemaRev === null ? null : shape.object(fields.schemaRev, rangeAt, ["min", "max"]);
  const serves: Serves = {
    schemaRev: range && { min: revision(range.min, `${rangeAt}.min`), max: revision(range.max, `${rangeAt}.max`) },
    indexHash: values(fields.indexHash, `${path}.indexHash`),
    modelTag: values(fields.modelTag, `${path}.modelTag`),
  };
  const isEmpty = pinProblem("schemaRev", range?.min, serves) === "schema-behind";
  if (isEmpty && serves.schemaRev?.max) shape.refuse(rangeAt, "min is above max"); // A max that was read.
  return serves;
}
