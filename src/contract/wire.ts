import { z } from "zod";
import { bp, epochMs } from "../core/unit.ts";
import type { VerdictKind } from "../core/verdict.ts";

type DeepReadonly<T> = T extends string | number | boolean
  ? T
  : T extends object
    ? { readonly [key in keyof T]: DeepReadonly<T[key]> }
    : T;

/** What a schema describes, as the code that makes it must return it: an answer is never changed again. */
export type Wire<Schema extends z.ZodType> = DeepReadonly<z.infer<Schema>>;

/** An enum of all members of a union: one that is missing, or that the union does not have, does not compile. */
export type EveryOf<Union extends string> = { readonly [member in Union]: member };

/** A schema for every field of a type, optional ones too: one that is missing or strange does not compile. */
export type FieldsOf<T> = { readonly [field in keyof T]-?: z.ZodType };

/** A whole number of things. */
export const count = z.int().nonnegative();

/** A share of one, 0..1. */
export const share = z.number().min(0).max(1);

/** A candidate's share in basis points. */
export const shareBp = z.int().min(0).max(10_000);

/** The same in a value of the core, which tells shares from other numbers. */
export const coreBp = shareBp.transform(bp);

/** Milliseconds since the Unix epoch. */
export const timeMs = z.number().nonnegative();

/** The same in a value of the core. */
export const coreMs = timeMs.transform(epochMs);

/** Something counted on both arms. */
export const countByArm = z.strictObject({ stable: count, candidate: count });

/** Numbers by a name that is not known beforehand, such as a class of errors. */
export const countByName = z.record(z.string(), count);

/** Low and high end, in the unit of the estimate. */
export const interval = z.tuple([z.number(), z.number()]);

/** What a waiting command ends with. @source contracts.md, "Exit codes" */
export const exitCode = z.literal([0, 10, 11, 12, 14]);

export const verdictKind = z.enum({
  pass: "pass",
  fail: "fail",
  inconclusive: "inconclusive",
  "no-data": "no-data",
  error: "error",
} satisfies EveryOf<VerdictKind>);

/** The number of a routing document. */
export const documentNumber = z.strictObject({ epoch: count, seq: count });

export const servingArm = z.enum(["stable", "candidate"]);
