import { readGateLabel } from "../../core/judge/setting.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TrafficSummary } from "../../lab/traffic/tally.ts";
import type { Status } from "../../contract/status.ts";
import { applyDocument } from "../commands/apply.ts";
import { readReport } from "../commands/report.ts";
import type { ControllerClient } from "../controller-client.ts";
import { reportMarkdown } from "../format/report-markdown.ts";
import { readDocument } from "../read-document.ts";
import { beginWhenReady } from "./begin.ts";
import { demoDocument, type DemoTargets } from "./document.ts";
import type { Scenario } from "./scenario.ts";
import type { RolloutSummary } from "./summary.ts";

export interface StoryTools {
  readonly client: ControllerClient;
  readonly folder: string;
  /** Resolves with the next report of the generator. */
  readonly nextSeen: () => Promise<TrafficSummary>;
  readonly note: (text: string) => void;
}

const POLL_MS = 100;
/** A rollout that has not ended by then is reported as held; a slow machine has more time for its evidence. */
const LIMIT_MS = 85_000;

async function untilEnd(client: ControllerClient, rolloutId: string, limitMs: number): Promise<Status> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const status = await client.status(rolloutId);
    if (status.exit_code !== null || performance.now() > deadline) return status;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function outcomeOf({ phase }: Status): RolloutSummary["outcome"] {
  if (phase === "promoted" || phase === "rolled-back" || phase === "aborted") return phase;
  return "held";
}

/**
 * Carries one rollout out through the public API, like an operator would, and sums up what the client saw of it. Counts
 * are differences over the rollout, because one generator runs through all of them.
 */
export async function tellStory(scenario: Scenario, targets: DemoTargets, tools: StoryTools): Promise<RolloutSummary> {
  const { client, folder } = tools;
  const file = join(folder, `${targets.rollout}.yaml`);
  await writeFile(file, demoDocument(targets, scenario));
  const before = await tools.nextSeen();
  tools.note(`${scenario.name}: ${scenario.says}`);
  const read = await readDocument(file);
  await beginWhenReady(() => applyDocument(read, client), tools.note);
  const status = await untilEnd(client, targets.rollout, LIMIT_MS * targets.slowness);
  const after = await tools.nextSeen();
  const report = join(folder, `${targets.rollout}.md`);
  await writeFile(report, reportMarkdown(await readReport(targets.rollout, client)));
  const { cause } = status;
  const verdict = cause?.verdict ?? null;
  const lastSent = after.lastCandidateSentAtEpochMs;
  const isTakenBack =
    status.phase === "rolled-back" && status.traffic.requests.candidate > 0 && cause !== null && lastSent !== null;
  return {
    name: targets.rollout,
    scenario: scenario.name,
    outcome: outcomeOf(status),
    stage: status.stage.name,
    cause:
      verdict === null
        ? null
        : { gate: verdict.gate, verdict: verdict.verdict, estimate: verdict.estimate, threshold: verdict.threshold },
    requests: after.requests - before.requests,
    // Two witnesses of the same thing: the gateway counts its own answers and cuts, the client what it missed.
    failed_by_router: Math.max(after.failedByRouter - before.failedByRouter, status.traffic.gateway_failures),
    sticky_violations: after.stickyViolations - before.stickyViolations,
    candidate_requests: after.candidateRequests - before.candidateRequests,
    detect_ms: status.detect_ms,
    rollback_ms: isTakenBack ? Math.max(0, Math.round(lastSent - cause.at)) : null,
    report,
  };
}

/** Whether a rollout ended as its story must. */
export function isAsExpected({ expected }: Scenario, summary: RolloutSummary): boolean {
  const gate = summary.cause === null ? null : readGateLabel(summary.cause.gate).gate;
  const isGateRight = expected.gates.length === 0 ? gate === null : gate !== null && expected.gates.includes(gate);
  const isUnseenRight = !expected.isUnseen || summary.candidate_requests === 0;
  const isClean = summary.failed_by_router === 0 && summary.sticky_violations === 0;
  return summary.outcome === expected.outcome && isGateRight && isUnseenRight && isClean;
}
