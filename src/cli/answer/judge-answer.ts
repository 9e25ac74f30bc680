import { z } from "zod";
import { count, countByArm, interval, shareBp, verdictKind, type Wire } from "../../contract/wire.ts";

const gate = z.strictObject({
  gate: z.string().describe("name, with the topic where there is one: coverage[billing]"),
  verdict: verdictKind,
  estimate: z.number().nullable().describe("in the gate's unit; null when nothing was measured"),
  interval: interval.nullable(),
  samples: countByArm.describe("requests or questions behind the estimate"),
  threshold: z.number().nullable().describe("limit or margin, in the unit of the estimate"),
  alpha: z.number().nullable().describe("promised probability of a false fail; null for hard rules"),
  e_value: z.number().nullable().describe("evidence for harm; the gate fails at 1/alpha"),
  reason: z.string(),
  needs: z.string().nullable().describe("what would settle the question; null when settled"),
});

const sampleRatio = z.strictObject({
  e_value: z.number().nonnegative().nullable().describe("null without any unit"),
  ok: z.boolean(),
  units: countByArm,
});

const stage = z.strictObject({
  share_bp: shareBp,
  hold_s: z.number().nonnegative(),
  held_s: z.number().nonnegative(),
});

/** The one object `sluice judge --json` prints. @source contracts.md "sluice judge" */
export const judgeAnswer = z.strictObject({
  verdict: verdictKind,
  decided_at_event: count.nullable().describe("line of the event that closed the deciding window; null without a fail"),
  decided_at_ts: z.iso.datetime().nullable().describe("end of that window"),
  decided_by: z.string().nullable().describe("gate that failed first in the order of causes"),
  candidate_events_until_decision: count,
  gates: z.array(gate),
  srm: sampleRatio.nullable().describe("test of the ordered split; null when nobody said what was ordered"),
  not_judged: z.array(z.string()).describe("gates that nothing in the trace can answer"),
  stage: stage.nullable().describe("stage the trace was judged as; null when nothing was judged"),
  needs: z.string().nullable(),
  events: count.describe("lines that are not blank"),
  late: count,
  malformed: count,
  malformed_first: z.strictObject({ line: count, reason: z.string() }).nullable(),
  probe_events: count,
  repeated_windows: count,
  repeated_events: count.describe("events that were delivered before, counted once"),
  skipped: count.describe("records of a log that are no request of an arm"),
  unread: z
    .record(z.string(), z.strictObject({ events: count, line: count, reason: z.string() }))
    .describe("fields that are there and cannot be read, with the first line"),
  lost_windows: count,
});

export type JudgeAnswer = Wire<typeof judgeAnswer>;
export type GateAnswer = JudgeAnswer["gates"][number];
