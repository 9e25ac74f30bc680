import { z } from "zod";
import { phase } from "./status.ts";
import { count, shareBp, timeMs, verdictKind, type Wire } from "./wire.ts";

const rollout = z.string();
const number = z.number().nullable();

const stage = z.strictObject({ type: z.literal("stage"), rollout, index: count, share_bp: shareBp, kind: z.string() });

const verdict = z.strictObject({
  type: z.literal("verdict"),
  rollout,
  stage: count,
  gate: z.string(),
  verdict: verdictKind,
  estimate: number,
  threshold: number,
  samples: count,
  reason: z.string(),
});

const order = z.strictObject({
  type: z.literal("order"),
  rollout,
  id: z.string(),
  order: z.string().describe("port.verb, such as traffic.publish"),
  status: z.enum(["started", "done", "failed"]),
});

const split = z.strictObject({
  type: z.literal("split"),
  rollout,
  epoch: count,
  seq: count,
  candidate_bp: shareBp,
  measured_bp: shareBp.nullable(),
});

const phaseChange = z.strictObject({
  type: z.literal("phase"),
  rollout,
  phase,
  gate: z.string().nullable(),
  cause: z.string().nullable(),
  look_at: z.string().nullable().describe("where to look first, when a gate stopped it"),
});

const note = z.strictObject({ type: z.literal("note"), rollout: rollout.nullable(), text: z.string() });

const kinds = [stage, verdict, order, split, phaseChange, note] as const;

/** One thing that happened, as `watch`, the demo and the event stream tell it. */
const feedEvent = z.discriminatedUnion("type", kinds);
export type FeedEvent = Wire<typeof feedEvent>;

const stamp = { ts: timeMs };

/** The same with its time: the data of one event of `GET /v1/events`, and a line of `sluice watch --json`. */
export const sentEvent = z.discriminatedUnion("type", [
  stage.extend(stamp),
  verdict.extend(stamp),
  order.extend(stamp),
  split.extend(stamp),
  phaseChange.extend(stamp),
  note.extend(stamp),
]);
export type SentEvent = Wire<typeof sentEvent>;
