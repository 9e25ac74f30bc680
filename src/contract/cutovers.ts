import { z } from "zod";
import { count, servingArm, timeMs, type Wire } from "./wire.ts";

const phase = z.enum(["pending", "applying", "verifying", "holding", "undoing", "done", "returned", "stuck"]);

const step = z.strictObject({
  name: z.string(),
  does: z.string(),
  state: z.enum(["waiting", "in-force", "done", "going-back", "back"]),
});

/** Where a cutover stands. */
export const cutoverStatus = z.strictObject({
  id: z.string(),
  generation: count,
  service: z.string(),
  phase,
  serves: servingArm.nullable().describe("who serves everybody as far as it was read back; null while users move"),
  frozen_since: timeMs.nullable().describe("since when nobody acts on effects, on the way out"),
  steps: z.array(step),
  cause: z.string().nullable().describe("why it goes back, is back or is stuck"),
  still_out: z.array(z.string()).describe("steps that may have changed something and are not taken back"),
  exit_code: count.nullable().describe("null while it runs"),
  next: z.string().describe("what comes next, in words"),
});

/** What `GET /v1/cutovers` answers. */
export const cutoversAnswer = z.strictObject({ cutovers: z.array(cutoverStatus) });

/** What `POST /v1/cutovers` answers. */
export const cutoverApplied = z.strictObject({ outcome: z.enum(["accepted", "unchanged"]), cutover: cutoverStatus });

export const goBackBody = z.strictObject({ reason: z.string().max(1_000).optional() });

/** What `POST /v1/cutovers/{id}/abort` answers. `held`: it goes back or is back already. */
export const cutoverCommanded = z.strictObject({
  outcome: z.enum(["done", "held"]),
  text: z.string(),
  cutover: cutoverStatus,
});

/** What `GET /v1/cutovers/{id}/journal` answers: every decision, the event it was made on and what it ordered. */
export const cutoverJournal = z.strictObject({
  entries: z.array(
    z.strictObject({
      index: count,
      generation: count,
      at: timeMs,
      event: z.string(),
      order_id: z.string().nullable().describe("the order whose result this is"),
      text: z.string().nullable().describe("what failed or was said"),
      orders: z.array(z.strictObject({ id: z.string(), order: z.string().describe("port.verb") })),
      notes: z.array(z.string()),
    }),
  ),
});

/** Who asks whether it may act on the effects of a service. */
export const grantBody = z.strictObject({
  release: z.string().min(1).max(256),
  region: z.string().min(1).max(64).optional().describe("where it stands; needed once a region was promoted"),
  worker: z.string().min(1).max(256),
  role: z.enum(["producer", "consumer"]).describe("a producer begins effects, a consumer finishes what is queued"),
  acting: z.boolean().describe("false: it does nothing now and relies on no leave"),
  question: count
    .optional()
    .describe("grows with each question of this worker; without it a leave is never given back before it is over"),
});

/** What `POST /v1/services/{service}/grant` answers. */
export const grantAnswer = z.strictObject({
  acts: z.boolean(),
  holder: z.string().nullable().describe("release that may act; null while nobody has served this service"),
  token: count.describe("fencing token: whatever the effects change refuses a lower one than it has seen"),
  expires_in_ms: count.describe("from when it asked; 0 when it may not act"),
  ask_again_ms: count,
  reason: z.string().nullable(),
});

export type CutoverStatus = Wire<typeof cutoverStatus>;
export type CutoversAnswer = Wire<typeof cutoversAnswer>;
export type CutoverApplied = Wire<typeof cutoverApplied>;
export type CutoverCommanded = Wire<typeof cutoverCommanded>;
export type CutoverJournal = Wire<typeof cutoverJournal>;
export type GrantAnswer = Wire<typeof grantAnswer>;
