import { z } from "zod";
import type { IndexFacts } from "../../../core/release/index-facts.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { stampOf } from "../stamp.ts";
import { NAME } from "../redis-records.ts";

/** What whoever builds an index writes of it, the stamp last. */
const described = z.object({
  COUNT: z.number().int().nonnegative(),
  DIMS: z.number().int().positive().nullish(),
  /** Absent, or why it does not serve yet. */
  NOT_READY: z.string().nullish(),
});

/**
 * What the record of an index says; its vectors are elsewhere, so that the store has no word of its own on metric and
 * analyzer.
 * @throws DriverError `rejected` for a record in another form
 */
export function factsOf(name: string, key: string, text: string): IndexFacts {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // What is no JSON is no record either.
  }
  const read = described.safeParse(value);
  if (!read.success) {
    const found = `${NAME}: ${key} does not describe an index (${z.prettifyError(read.error)})`;
    throw new DriverError("rejected", "never", `${found}; see the README of the driver for its form`);
  }
  const { COUNT: count, DIMS, NOT_READY } = read.data;
  return {
    name,
    count,
    dims: DIMS ?? null,
    metric: null,
    analyzer: null,
    stamp: stampOf(value),
    notReady: NOT_READY ?? null,
  };
}
