import { z } from "zod";
import type { PaceChoice } from "../core/pace/pace-choice.ts";
import type { Effect } from "../core/rollout/effect.ts";
import type { Command, RolloutEvent } from "../core/rollout/event.ts";
import type { Cause } from "../core/rollout/rollout.ts";
import { observations } from "./observations.ts";
import { shownPlan, tier } from "./plan.ts";
import { probeReport } from "./probe-report.ts";
import { phase } from "./status.ts";
import { keptVerdict, verdictAnswer } from "./verdict.ts";
import { coreBp, coreMs, count, type EveryOf, type FieldsOf, servingArm, type Wire } from "./wire.ts";

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
    choice: choice.exactOptional(),
  } satisfies Of<"judged">),
  z.strictObject({
    kind: z.literal("effect-succeeded"),
    at,
    effectId: text,
    verdicts,
  } satisfies Of<"effect-succeeded">),
  z.strictObject({
    kind: z.literal("effect-failed"),
    at,
    effectId: text,
    code: text,
    message: text,
  } satisfies Of<"effect-failed">),
  z.strictObject({
    kind: z.literal("commanded"),
    at,
    command,
    full: z.boolean(),
    by: text,
    reason: text,
  } satisfies Of<"commanded">),
]) satisfies z.ZodType<RolloutEvent>;

const setSplit = z.strictObject({
  kind: z.literal("set-split"),
  id: text,
  candidateBp: coreBp,
  closed: z.array(servingArm),
  arms: z.enum(["both", "swap"]),
  shadow: z.literal(true).exactOptional(),
  newEpoch: z.boolean(),
} satisfies FieldsOf<Extract<Effect, { kind: "set-split" }>>);

/** Work the reducer asked for. */
const effect = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("check-parity"), id: text }),
  z.strictObject({ kind: z.literal("run-probes"), id: text, tier, extraRepeats: count }),
  setSplit,
]) satisfies z.ZodType<Effect>;

const entry = z.strictObject({
  rolloutId: text,
  index: count,
  event,
  effects: z.array(effect),
  phase,
  stageIndex: count,
  candidateBp: coreBp,
});

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
  reports: z.array(z.strictObject({ effectId: text, report: probeReport })),
});

export type JournalAnswer = Wire<typeof journalAnswer>;
export type VerdictsAnswer = Wire<typeof verdictsAnswer>;
