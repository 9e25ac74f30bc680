import { z } from "zod";
import type { DrillPhase } from "../core/drill/machine.ts";
import { count, timeMs, type Wire } from "./wire.ts";

const PHASES = [
  "pending",
  "checking",
  "leaving",
  "returning",
  "succeeded",
  "returned",
  "aborted",
  "away",
  "stuck",
] as const satisfies readonly DrillPhase[];

const step = z.strictObject({
  name: z.string(),
  does: z.string(),
  way: z.enum(["out", "home"]),
  state: z.enum(["waiting", "in-force", "done", "going-back", "back"]),
});

/** Where a drill stands. */
export const drillStatus = z.strictObject({
  id: z.string(),
  generation: count,
  service: z.string(),
  phase: z.enum(PHASES),
  evacuate: z.string(),
  survivor: z.string(),
  own_share_bp: count.nullable().describe("share of its own users that the evacuated region serves; null: not told"),
  writes_in: z.string().nullable().describe("region that alone acts on effects; null while none was promoted"),
  asked_by: z.string().nullable(),
  approved_by: z.array(z.string()),
  approvals_missing: count.describe("persons that still have to say yes"),
  not_before: timeMs.nullable().describe("it begins no sooner"),
  decided_at: timeMs.nullable().describe("when the first order was given that may change anything"),
  evacuated_at: timeMs.nullable().describe("when users were first ordered away"),
  steps: z.array(step),
  cause: z.string().nullable().describe("why it is not as planned"),
  exit_code: count.nullable().describe("null while it runs"),
  next: z.string().describe("what comes next, in words"),
});

/** What `GET /v1/drills` answers. */
export const drillsAnswer = z.strictObject({ drills: z.array(drillStatus) });

/** What `POST /v1/drills` answers. */
export const drillApplied = z.strictObject({ outcome: z.enum(["accepted", "unchanged"]), drill: drillStatus });

export const drillWordBody = z.strictObject({ reason: z.string().max(1_000).optional() });

/** What a person's word about a drill answers. `held`: it is so already, or cannot be now. */
export const drillCommanded = z.strictObject({
  outcome: z.enum(["done", "held"]),
  text: z.string(),
  drill: drillStatus,
});

/** One decision of a drill, and the hash of everything up to it. */
const entry = z.strictObject({
  index: count,
  generation: count,
  at: timeMs,
  event: z.string(),
  order_id: z.string().nullable().describe("the order whose result this is"),
  text: z.string().nullable().describe("what failed or was said"),
  verdicts: z.array(
    z.strictObject({
      check: z.string(),
      verdict: z.enum(["pass", "fail", "inconclusive", "no-data", "error"]),
      estimate: z.number().nullable(),
      threshold: z.number().nullable(),
      samples: count,
      reason: z.string(),
    }),
  ),
  orders: z.array(z.strictObject({ id: z.string(), order: z.string(), step: z.string().nullable() })),
  notes: z.array(z.string()),
});

/** What `GET /v1/drills/{id}/journal` answers: every decision, chained, with a signature over its end. */
export const drillJournal = z.strictObject({
  drill: drillStatus,
  entries: z.array(entry),
  chain: z.strictObject({
    head: z.string().describe("sha256 over each entry and the hash before it, as hexadecimal digits"),
    kid: z.string().nullable(),
    signature: z.string().nullable().describe("of `sluice drill`, the id and the head, by the controller's key"),
  }),
});

export type DrillStatus = Wire<typeof drillStatus>;
export type DrillsAnswer = Wire<typeof drillsAnswer>;
export type DrillApplied = Wire<typeof drillApplied>;
export type DrillCommanded = Wire<typeof drillCommanded>;
export type DrillJournal = Wire<typeof drillJournal>;
