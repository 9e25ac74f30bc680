import { canonicalJson, type Json } from "../../core/canonical-json.ts";
import { DriverError } from "../../ports/driver-error.ts";
import type { QueuePointer, QueuePositions, QueueWatermark } from "../../ports/queue.ts";

/** The one text of a pointer record, so that equal records are equal texts. Workers of any language read it. */
export function encodePointer(pointer: QueuePointer): string {
  const { producersTo, consumer, consumesFrom, since, watermark, epoch, step } = pointer;
  const mark = watermark === null ? null : { ...watermark };
  return canonicalJson({ producersTo, consumer, consumesFrom, since, watermark: mark, epoch, step });
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

const isPositions = (value: Json | undefined): value is QueuePositions =>
  isFields(value) && Object.values(value).every((position) => typeof position === "string");

const isCount = (value: Json | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function isWatermark(value: Json): value is Fields & QueueWatermark {
  if (!isFields(value)) return false;
  return typeof value["process"] === "string" && typeof value["queue"] === "string" && isPositions(value["upTo"]);
}

function isPointer(value: Json): value is Fields & QueuePointer {
  if (!isFields(value)) return false;
  const { producersTo, consumer, consumesFrom, since, watermark, epoch, step } = value;
  return (
    typeof producersTo === "string" &&
    (consumer === null || typeof consumer === "string") &&
    typeof consumesFrom === "string" &&
    isPositions(since) &&
    (watermark === null || (watermark !== undefined && isWatermark(watermark))) &&
    isCount(epoch) &&
    isCount(step)
  );
}
