import { z } from "zod";
import type { Phase } from "../core/rollout/rollout.ts";
import type { Stage } from "../core/stage/plan.ts";
import { SHADOW_LEFT, type ShadowLeft } from "../core/window/shadow-window.ts";
import { stretch, verdictAnswer } from "./verdict.ts";
import {
  count,
  countByArm,
  countByName,
  documentNumber,
  exitCode,
  type EveryOf,
  shareBp,
  timeMs,
  type Wire,
} from "./wire.ts";

export const phase = z.enum({
  pending: "pending",
  checking: "checking",
  probing: "probing",
  progressing: "progressing",
  waiting: "waiting",
  promoting: "promoting",
  retreating: "retreating",
  "rolling-back": "rolling-back",
  promoted: "promoted",
  "rolled-back": "rolled-back",
  aborted: "aborted",
  "rollback-failed": "rollback-failed",
} satisfies EveryOf<Phase>);

const stageKind = z.enum({ probes: "probes", shadow: "shadow", traffic: "traffic", watch: "watch" } satisfies EveryOf<
  Stage["kind"]
>);

const time = timeMs.nullable();

const sharesOfStatus = z.strictObject({
  ordered_bp: shareBp,
  document: documentNumber.nullable().describe("in force for the service; null before the first"),
  measured_requests_bp: shareBp.nullable().describe("under that document; null before a gateway reported of it"),
  measured_units_bp: shareBp.nullable(),
  requests_bp: shareBp.nullable().describe("of all requests so far; null without any"),
});

const traffic = z.strictObject({
  requests: countByArm,
  failures: countByArm,
  classes: z.strictObject({ stable: countByName, candidate: countByName }).describe("failures by stage|family|code"),
  units: countByArm.describe("users by the arm they were drawn to when they first came"),
  cold: countByArm,
  gateway_failures: count,
  lost_windows: count,
  first_candidate_at: time,
  last_candidate_at: time,
  units_met: countByArm.nullable().describe("users that each arm answered in the running try"),
});

const left = SHADOW_LEFT.map((why) => [why, count] as const);

const shadow = z.strictObject({
  share_bp: shareBp,
  chosen: count.describe("requests chosen to be copied"),
  pairs: z.strictObject({ both_ok: count, stable_failed: count, candidate_failed: count, both_failed: count }),
  other_status: count,
  classes: countByName,
  timed: count.describe("pairs behind the times"),
  p95_ms: z.strictObject({ stable: z.number().nullable(), candidate: z.number().nullable() }),
  left: z.strictObject(Object.fromEntries(left) as Record<ShadowLeft, typeof count>).describe("chosen without a pair"),
  says: z.string(),
  not_known: z.array(z.string()).describe("what no number of copies can tell"),
});

const cause = z.strictObject({
  gate: z.string().nullable().describe("null when a person or a failed order decided"),
  stage: count,
  at: timeMs,
  text: z.string(),
  look_at: z.string().nullable().describe("where to look first"),
  verdict: verdictAnswer.nullable(),
});

/** What `GET /v1/rollouts/{id}` answers. */
export const statusAnswer = z.strictObject({
  id: z.string(),
  generation: count,
  service: z.string(),
  phase,
  paused: z.boolean(),
  frozen: z.boolean().describe("true after a second failure at one stage: only a new generation goes on"),
  stage: z.strictObject({ index: count, count, kind: stageKind, name: z.string() }),
  share: sharesOfStatus,
  traffic,
  shadow: shadow.nullable(),
  worst: z.strictObject({ failures: stretch.nullable(), latency: stretch.nullable() }),
  held_ms: z.number().nonnegative(),
  lease_ms: z
    .number()
    .nullable()
    .describe("how long a data plane serves the candidate without a word of its controller; null: as long as it likes"),
  verdicts: z.array(verdictAnswer),
  not_watched: z.array(z.string()).describe("gates that nobody tells of, so they decide nothing"),
  unproven_stages: z.array(count),
  pace: z
    .strictObject({ next_bp: shareBp.nullable(), text: z.string() })
    .nullable()
    .describe("the share a paced rollout would go to next; null without a pace or a choice"),
  cause: cause.nullable(),
  detect_ms: z.number().nullable().describe("first candidate request of the deciding stage to verdict"),
  rollback_ms: z.number().nullable().describe("verdict to the last request the candidate answered"),
  gateways: z
    .strictObject({ live: count, silent_ms: z.number().nullable(), accept_unsigned: z.array(z.string()) })
    .nullable(),
  next: z.string().describe("what happens next and what it waits for"),
  conditions: z.array(z.strictObject({ type: z.string(), status: z.string() })),
  exit_code: exitCode.nullable().describe("of a command that waits for the end; null while it runs"),
  created_at: timeMs,
  started_at: time,
  ended_at: time,
});

export type Status = Wire<typeof statusAnswer>;
export type VerdictAnswer = Status["verdicts"][number];
