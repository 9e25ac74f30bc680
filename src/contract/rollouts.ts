import { z } from "zod";
import { phase, statusAnswer } from "./status.ts";
import { count, exitCode, servingArm, share, timeMs, type Wire } from "./wire.ts";

const YEARS_MS = 100 * 366 * 86_400_000;
const path = z.string().min(1).max(4_096).nullable();
const fileDigest = z.string().max(200);

/** What `GET /v1/rollouts` answers: running ones first, then the newest end first. */
export const rolloutsAnswer = z.strictObject({ rollouts: z.array(statusAnswer) });

/** A document as the command line sends it: its text, and what only the sender's file system knows. */
export const applyBody = z.strictObject({
  document: z.string().min(1),
  file: z.string().min(1).max(1_024),
  /** Digests of the files the document names; empty where it names none. */
  gold_digest: fileDigest,
  map_digest: fileDigest.optional(),
  corpus_digest: fileDigest.optional(),
  paths: z.strictObject({ set: path, map: path, corpus: path }),
});

/** What `POST /v1/rollouts` and `POST /v1/rollouts/{id}/retry` answer. */
export const appliedAnswer = z.strictObject({
  id: z.string(),
  generation: count,
  phase,
  outcome: z.enum(["accepted", "unchanged"]).describe("unchanged: it is the one it had, and nothing happened"),
  note: z.string().nullable(),
  exit_code: exitCode.describe("of a command about it: 0 while it runs and after promotion, else that of its end"),
});

export const commandBody = z.strictObject({
  full: z.boolean().optional(),
  despite: z.boolean().optional(),
  reason: z.string().max(1_000).optional(),
  generation: z.int().min(1).optional(),
});

/** What a command about a rollout answers. `held`: what it would do is so already. */
export const commandAnswer = z.strictObject({
  id: z.string(),
  generation: count,
  phase,
  outcome: z.enum(["done", "held"]),
  text: z.string(),
});

export const pruneBody = z.strictObject({
  older_than_ms: z.int().min(0).max(YEARS_MS),
  keep: z.int().min(0).max(1_000_000),
  /** Only says what would go. */
  dry_run: z.boolean().optional(),
});

/** What `POST /v1/prune` answers. */
export const pruneAnswer = z.strictObject({
  outcome: z.enum(["removed", "would-remove"]),
  removed: z.array(
    z.strictObject({
      id: z.string(),
      service: z.string(),
      generation: count,
      phase,
      ended_at: timeMs,
    }),
  ),
});

/** In the body and not in the address, because addresses are logged. */
export const unitBody = z.strictObject({ unit: z.string().min(1).max(1_024), segment: z.string().max(64).nullable() });

const unitCounts = z.strictObject({ requests: count, failures: count });

/** What `POST /v1/rollouts/{id}/unit` answers of a user. */
const unitAnswer = z.strictObject({
  id: z.string(),
  generation: count,
  unit: z.string().describe("the name that messages print"),
  service: z.string(),
  in_force: z
    .strictObject({ rollout: z.string().nullable().describe("null where an operator ordered it") })
    .nullable()
    .describe("whose split is in force; null before the first one"),
  arm: servingArm.nullable().describe("null where the split in force is not this rollout's"),
  reason: z.string().nullable(),
  candidate_from_bp: z.int().min(1).max(10_000).describe("the first share at which the draw has it on the candidate"),
  seen: z.strictObject({ stable: unitCounts, candidate: unitCounts }).nullable(),
  is_complete: z.boolean().describe("false: more users came than are kept, and one that was not seen may have come"),
  gaps: z
    .array(z.strictObject({ from: timeMs, to: timeMs }))
    .describe("when one that was not seen may have come as well: the controller ended before it had stored its users"),
});

/** What it answers of a value of a segment. */
const segmentAnswer = z.strictObject({
  id: z.string(),
  generation: count,
  segment: z.string(),
  harmed: z
    .strictObject({ stable: share, candidate: share })
    .nullable()
    .describe("failure rates by arm where the candidate's is higher for certain"),
});

export const unitOrSegmentAnswer = z.union([unitAnswer, segmentAnswer]);

export type RolloutsAnswer = Wire<typeof rolloutsAnswer>;
export type AppliedBody = z.infer<typeof applyBody>;
export type AppliedAnswer = Wire<typeof appliedAnswer>;
export type CommandAnswer = Wire<typeof commandAnswer>;
export type PruneAnswer = Wire<typeof pruneAnswer>;
export type UnitAnswer = Wire<typeof unitAnswer>;
export type SegmentAnswer = Wire<typeof segmentAnswer>;
