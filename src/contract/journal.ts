import { z } from "zod";
import type { PaceChoice } from "../core/pace/pace-choice.ts";
import type { Command, RolloutEvent } from "../core/rollout/event.ts";
import type { JournalEntry } from "../core/rollout/journal-entry.ts";
import { type Cause, SCHEMA } from "../core/rollout/rollout.ts";
import { observations } from "./observations.ts";
import { rolloutOrder } from "./order.ts";
import { shownPlan } from "./plan.ts";
import { probeReport } from "./probe-report.ts";
import { phase } from "./status.ts";
import { keptVerdict, verdictAnswer } from "./verdict.ts";
import { coreBp, coreMs, count, type EveryOf, type FieldsOf, type Wire } from "./wire.ts";

type Of<Kind extends RolloutEvent["kind"]> = FieldsOf<Extract<RolloutEvent, { kind: Kind }>>;

const text = z.string();
const at = coreMs;
const verdicts = z.array(keptVerdict);

const command = z.enum({
  promote: "promote",
  pause: "pause",
  resume: "resume",
  abort: "abort",
  rollback: "rollback",
} satisfies EveryOf<Command>);

const choice = z.strictObject({
  fromIndex: count,
  stageIndex: count.nullable(),
  needsProof: z.boolean(),
  text,
} satisfies FieldsOf<PaceChoice>);

/** Everything that can happen to a rollout. */
const event = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("started"), at } satisfies Of<"started">),
  z.strictObject({ kind: z.literal("tick"), at } satisfies Of<"tick">),
  z.strictObject({
    kind: z.literal("controller-restarted"),
    at,
    lastKnownAt: coreMs,
    leaseMs: z.number().nullable(),
    livedUntil: coreMs.exactOptional(),
  } satisfies Of<"controller-restarted">),
  z.strictObject({ kind: z.literal("clock-moved"), at, byMs: z.number() } satisfies Of<"clock-moved">),
  z.strictObject({
    kind: z.literal("judged"),
    at,
    stageIndex: count,
    verdicts,
    hasAnsweredAlone: z.boolean().exactOptional(),
    choice: choice.exactOptional(),
  } satisfies Of<"judged">),
  z.strictObject({
    kind: z.literal("order-done"),
    at,
    orderId: text,
    order: text,
    verdicts,
  } satisfies Of<"order-done">),
  z.strictObject({
    kind: z.literal("order-failed"),
    at,
    orderId: text,
    order: text,
    code: text,
    message: text,
  } satisfies Of<"order-failed">),
  z.strictObject({
    kind: z.literal("commanded"),
    at,
    command,
    full: z.boolean(),
    by: text,
    reason: text,
  } satisfies Of<"commanded">),
]) satisfies z.ZodType<RolloutEvent>;

const entry = z.strictObject({
  schema: z.literal(SCHEMA),
  rolloutId: text,
  index: count,
  event,
  orders: z.array(rolloutOrder),
  phase,
  stageIndex: count,
  candidateBp: coreBp,
} satisfies FieldsOf<JournalEntry>) satisfies z.ZodType<JournalEntry>;

const cause = z.strictObject({
  gate: text.nullable(),
  verdict: keptVerdict.nullable(),
  stageIndex: count,
  at,
  text,
  lookAt: text.exactOptional(),
} satisfies FieldsOf<Cause>) satisfies z.ZodType<Cause>;

/** What `GET /v1/rollouts/{id}/journal` answers: every decision of the rollout, and what it was made on. */
export const journalAnswer = z.strictObject({
  plan: shownPlan,
  cause: cause.nullable(),
  verdicts,
  observations,
  entries: z.array(entry),
});

/** What `GET /v1/verdicts/{id}` answers. */
export const verdictsAnswer = z.strictObject({
  id: text,
  verdicts: z.array(verdictAnswer),
  reports: z.array(z.strictObject({ orderId: text, report: probeReport })),
});

export type JournalAnswer = Wire<typeof journalAnswer>;
export type VerdictsAnswer = Wire<typeof verdictsAnswer>;
