import { canonicalJson, type Json } from "../../core/canonical-json.ts";
import { DriverError } from "../../ports/driver-error.ts";
import type { PositionsByQueue, QueuePointer, QueueWatermark } from "../../ports/queue.ts";

/** The one text of a pointer record, so that equal records are equal texts. Workers of any language read it. */
export function encodePointer(pointer: QueuePointer): string {
  const { producersTo, consumer, phase, from, watermark, epoch, step } = pointer;
  const mark = watermark === null ? null : { process: watermark.process, upTo: watermark.upTo };
  return canonicalJson({ producersTo, consumer, phase, from, watermark: mark, epoch, step });
}

/** @throws DriverError `rejected` for a text that is no pointer record: somebody else wrote there */
export function decodePointer(driver: string, text: string): QueuePointer {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    throw new DriverError(
      "rejected",
      "never",
      `${driver}: the queue's pointer is no JSON; remove what wrote it`,
      error,
    );
  }
  if (isPointer(value)) return value;
  const found = text.slice(0, 200);
  throw new DriverError("rejected", "never", `${driver}: expected a queue's pointer record, found ${found}`);
}

type Fields = { readonly [name: string]: Json };

const isFields = (value: Json | undefined): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isTexts = (value: Json): boolean =>
  isFields(value) && Object.values(value).every((position) => typeof position === "string");

const isPositions = (value: Json | undefined): value is PositionsByQueue =>
  isFields(value) && Object.values(value).every(isTexts);

const PHASES: readonly Json[] = ["acting", "stopping", "starting"] satisfies readonly QueuePointer["phase"][];

const isCount = (value: Json | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function isWatermark(value: Json): value is Fields & QueueWatermark {
  if (!isFields(value)) return false;
  return typeof value["process"] === "string" && isPositions(value["upTo"]);
}

function isPointer(value: Json): value is Fields & QueuePointer {
  if (!isFields(value)) return false;
  const { producersTo, consumer, phase, from, watermark, epoch, step } = value;
  return (
    typeof producersTo === "string" &&
    typeof consumer === "string" &&
    PHASES.includes(phase ?? null) &&
    isPositions(from) &&
    (watermark === null || (watermark !== undefined && isWatermark(watermark))) &&
    isCount(epoch) &&
    isCount(step)
  );
}
/** True when `next` may be written over `stored`: later, or the same. */
export function supersedes(next: QueuePointer, stored: QueuePointer | null): boolean {
  if (stored === null || encodePointer(next) === encodePointer(stored)) return true;
  return next.epoch > stored.epoch || (next.epoch === stored.epoch && next.step > stored.step);
}
