import { lookAtOf } from "../rollout/look-at.ts";
import { gateLabel } from "../judge/setting.ts";
import { assert } from "../assert.ts";
import type { ByArm } from "../arm.ts";
import type { ProbeReport } from "../measure/report.ts";
import type { RolloutEvent } from "../rollout/event.ts";
import type { RolloutOrder } from "../rollout/order.ts";
import type { Cause, Phase } from "../rollout/rollout.ts";
import type { RolloutPlan } from "../stage/plan.ts";
import type { Verdict } from "../verdict.ts";

/** One journal entry, as much of it as a report needs. */
interface JournalLine {
  readonly index: number;
  readonly event: RolloutEvent;
  readonly orders: readonly RolloutOrder[];
  readonly phase: Phase;
  readonly stageIndex: number;
  readonly candidateBp: number;
}

/** What a report is made of: the journal, and what the controller keeps beside it. */
export interface ReportSource {
  readonly plan: Omit<RolloutPlan, "sticky">;
  readonly entries: readonly JournalLine[];
  /** Why it ended or waits: the state alone says it, because a journal full of old fails cannot. */
  readonly cause: Pick<Cause, "gate" | "text" | "verdict" | "lookAt"> | null;
  /** The state's verdicts: the journal holds none that says the same kind in newer words. */
  readonly verdicts?: readonly Verdict[];
  readonly reports: readonly { readonly orderId: string; readonly report: ProbeReport }[];
  readonly requests: ByArm<number>;
  readonly failures: ByArm<number>;
}

/** One thing that happened, in words. Times are milliseconds since the start of the rollout. */
interface TimelineLine {
  readonly atMs: number;
  readonly stageIndex: number;
  readonly text: string;
}

/** One gate at one stage: its last word there. */
interface StageVerdict {
  readonly stageIndex: number;
  readonly verdict: Verdict;
}

/** The evidence of one rollout: a pure function of its source, so a second run gives the same bytes (I24, RP-1). */
export interface RolloutReport {
  readonly rolloutId: string;
  readonly generation: number;
  readonly service: string;
  readonly releases: ByArm<string>;
  readonly documentDigest: string;
  readonly outcome: Phase;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly cause: string | null;
  readonly causeGate: string | null;
  /** Where to look first, when a gate stopped it. */
  readonly lookAt: string | null;
  readonly timeline: readonly TimelineLine[];
  readonly verdicts: readonly StageVerdict[];
  readonly probes: ReportSource["reports"];
  readonly requests: ByArm<number>;
  readonly failures: ByArm<number>;
}

function describeOrder(order: RolloutOrder): string {
  switch (order.port) {
    case "health":
      return "compare identity";
    case "probe": {
      const { tier, extraRepeats } = order.args;
      return `ask the gold set (${tier}${extraRepeats > 0 ? `, ${extraRepeats} more repetitions` : ""})`;
    }
    case "traffic": {
      const { shadow, arms, candidateBp } = order.args;
      if (shadow === true) return "give the candidate copies, and no user";
      return arms === "swap" ? "make the candidate stable" : `set the candidate to ${candidateBp / 100} %`;
    }
  }
}

function describeEvent(event: RolloutEvent): string | null {
  switch (event.kind) {
    case "started":
      return "started";
    case "commanded":
      return `${event.command}${event.full ? " --full" : ""} by ${event.by}${event.reason === "" ? "" : `: ${event.reason}`}`;
    case "order-failed":
      return `failed (${event.code}): ${event.message}`;
    case "order-done":
      return null;
    case "clock-moved":
      return `the controller's clock moved by ${(event.byMs / 1_000).toFixed(1)} s; no hold ends sooner or later for it`;
    default:
      return null;
  }
}

/** Away is at most: what a controller did last need not be stored. Times are from the start, as in every line. */
function describeAbsence(
  { at, lastKnownAt, leaseMs }: Extract<RolloutEvent, { kind: "controller-restarted" }>,
  candidateBp: number,
  startedAt: number,
): string {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  const awayMs = at - lastKnownAt;
  const away = `the controller was away from ${seconds(lastKnownAt - startedAt)} to ${seconds(at - startedAt)} at most`;
  const users =
    candidateBp === 0
      ? "no share was ordered for the candidate"
      : leaseMs === null
        ? "users stayed where they were, because there is no lease"
        : awayMs <= leaseMs
          ? `users stayed where they were, within the lease of ${seconds(leaseMs)}`
          : `users were on stable after the lease of ${seconds(leaseMs)}`;
  return `${away} (${seconds(awayMs)}): ${users}`;
}

function verdictsOf(event: RolloutEvent): readonly Verdict[] {
  return event.kind === "judged" || event.kind === "order-done" ? event.verdicts : [];
}

/** Lines of one entry: what came in, which verdicts turned, what was ordered, and the phase when it changed. */
function linesOf(
  entry: JournalLine,
  before: JournalLine | undefined,
  turned: readonly Verdict[],
  startedAt: number,
): readonly TimelineLine[] {
  const atMs = entry.event.at - startedAt;
  const line = (text: string): TimelineLine => ({ atMs, stageIndex: before?.stageIndex ?? entry.stageIndex, text });
  const { event } = entry;
  const came =
    event.kind === "controller-restarted" ? describeAbsence(event, entry.candidateBp, startedAt) : describeEvent(event);
  return [
    ...(came === null ? [] : [line(came)]),
    ...turned.map((verdict) => line(`${gateLabel(verdict)} ${verdict.kind}: ${verdict.reason}`)),
    ...entry.orders.map((order) => line(`ordered: ${describeOrder(order)}`)),
    ...(before !== undefined && before.phase !== entry.phase ? [line(`now ${entry.phase}`)] : []),
  ];
}

/** Builds the report. `source.entries` is the whole journal, contiguous from 0; throws an invariant error otherwise. */
export function buildReport(source: ReportSource): RolloutReport {
  const { plan, entries, reports, requests, failures } = source;
  assert(
    entries.every(({ index }, place) => index === place),
    "a report needs the whole journal, without gaps",
  );
  const [first] = entries;
  const last = entries.at(-1);
  assert(first !== undefined && last !== undefined, `rollout ${plan.rolloutId} has no journal yet`);
  const startedAt = first.event.at;
  const known = new Map<string, string>();
  const latest = new Map<string, StageVerdict>();
  const timeline: TimelineLine[] = [];
  entries.forEach((entry, place) => {
    const before = entries[place - 1];
    const stageIndex = before?.stageIndex ?? entry.stageIndex;
    const turned = verdictsOf(entry.event).filter((verdict) => known.get(gateLabel(verdict)) !== verdict.kind);
    for (const verdict of verdictsOf(entry.event)) {
      known.set(gateLabel(verdict), verdict.kind);
      latest.set(`${stageIndex}/${gateLabel(verdict)}`, { stageIndex, verdict });
    }
    timeline.push(...linesOf(entry, before, turned, startedAt));
  });
  for (const verdict of source.verdicts ?? []) {
    const key = `${last.stageIndex}/${gateLabel(verdict)}`;
    if (latest.get(key)?.verdict.kind === verdict.kind) latest.set(key, { stageIndex: last.stageIndex, verdict });
  }
  const cause = last.phase === "promoted" ? null : source.cause;
  return {
    rolloutId: plan.rolloutId,
    generation: plan.generation,
    service: plan.service,
    releases: { stable: plan.arms.stable.releaseId, candidate: plan.arms.candidate.releaseId },
    documentDigest: plan.documentDigest,
    outcome: last.phase,
    startedAt,
    durationMs: last.event.at - startedAt,
    cause: cause?.text ?? null,
    causeGate: cause?.gate ?? null,
    lookAt: lookAtOf(cause),
    timeline,
    verdicts: [...latest.values()],
    probes: reports,
    requests,
    failures,
  };
}
