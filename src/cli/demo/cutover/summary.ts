import type { TrafficSummary } from "../../../lab/traffic/tally.ts";
import type { Terminal } from "../../terminal.ts";
import type { Scene } from "./scene.ts";
import type { WorkCounts } from "./work.ts";

/** One cutover of the demo, as the last line of its output tells it. */
export interface CutoverSummary {
  readonly scenario: string;
  readonly phase: string;
  /** Why it went back; null when it did not. */
  readonly cause: string | null;
  /** From the order of the flip to the last request that stable answered; null when users were not moved. */
  readonly flip_ms: number | null;
  /** From the command to the last request that the candidate answered, and until all of it was read back. */
  readonly back_ms: number | null;
  readonly all_back_ms: number | null;
  readonly requests: number;
  readonly failed_requests: number;
  readonly candidate_requests: number;
  readonly crossed_cache_reads: number;
  readonly jobs: number;
  readonly jobs_lost: number;
  readonly jobs_doubled: number;
  readonly refused_writes: number;
  readonly ok: boolean;
}

/** When users were moved, in milliseconds since the epoch; null for what did not happen. */
export interface Moments {
  readonly flipOrderedAt: number | null;
  readonly lastStableAt: number | null;
  readonly backOrderedAt: number | null;
  readonly lastCandidateAt: number | null;
  readonly backReadAt: number | null;
}

export interface Ending {
  readonly phase: string;
  readonly cause: string | null;
  readonly moments: Moments;
  readonly seen: TrafficSummary;
  readonly work: WorkCounts;
}

const between = (from: number | null, to: number | null): number | null =>
  from === null || to === null ? null : Math.max(0, Math.round(to - from));

/** Whatever was no whole answer with status 200. */
function failedOf({ byArm, failedByRouter, cutBodies, withoutArm }: TrafficSummary): number {
  const bad = [byArm.stable, byArm.candidate].flatMap(({ statuses }) => Object.entries(statuses));
  const badAnswers = bad.reduce((sum, [status, count]) => sum + (status === "200" ? 0 : count), 0);
  return badAnswers + Math.max(failedByRouter, withoutArm) + cutBodies;
}

/** What happened, and whether all of it was as told. */
export function summarise(scene: Scene, green: string, { phase, cause, moments, seen, work }: Ending): CutoverSummary {
  const { expected } = scene;
  const counts = {
    requests: seen.requests,
    failed_requests: failedOf(seen),
    candidate_requests: seen.byRelease[green]?.requests ?? 0,
    crossed_cache_reads: seen.crossedCacheReads,
    jobs: work.jobs,
    jobs_lost: work.jobs - work.done,
    jobs_doubled: work.doubled,
    refused_writes: work.refused,
  };
  const isClean =
    counts.failed_requests + counts.crossed_cache_reads + counts.jobs_lost + counts.jobs_doubled === 0 &&
    counts.refused_writes === expected.refused &&
    counts.requests > 0 &&
    counts.jobs > 0;
  const isStopped = expected.outcome === "returned";
  const isSeenRight = isStopped ? counts.candidate_requests === 0 : counts.candidate_requests > 0;
  const isCauseRight =
    expected.stoppedBy === null || (cause?.startsWith(`${expected.stoppedBy} failed`) ?? false) === true;
  const isPhaseRight = phase === (isStopped || expected.isTakenBack ? "returned" : "done");
  return {
    scenario: scene.name,
    phase,
    cause,
    flip_ms: between(moments.flipOrderedAt, moments.lastStableAt),
    back_ms: between(moments.backOrderedAt, moments.lastCandidateAt),
    all_back_ms: between(moments.backOrderedAt, moments.backReadAt),
    ...counts,
    ok: isClean && isSeenRight && isCauseRight && isPhaseRight,
  };
}

/** The same for people. */
export function cutoverLines(summary: CutoverSummary, terminal: Terminal): readonly string[] {
  const { scenario, phase, cause, flip_ms: flipMs, back_ms: backMs, all_back_ms: allBackMs, ok } = summary;
  const glyph = ok ? terminal.paint("good", "✔") : terminal.paint("bad", "✘");
  const why = cause === null ? "" : `: ${cause}`;
  return [
    `${glyph} ${scenario}: ${phase}${why}`,
    ...(flipMs === null ? [] : [`  users moved ${flipMs} ms after the order: the last request that blue answered`]),
    ...(backMs === null
      ? []
      : [`  and back ${backMs} ms after the command; all of it read back after ${allBackMs} ms`]),
    `  ${summary.requests} requests, ${summary.failed_requests} failed; green answered ${summary.candidate_requests}`,
    `  ${summary.jobs} jobs, ${summary.jobs_lost} lost, ${summary.jobs_doubled} done twice`,
    `  ${summary.crossed_cache_reads} answers read from the other arm's cache`,
    `  ${summary.refused_writes} late writes refused by the store`,
  ];
}
