import type { ByArm, ServingArm } from "../../core/arm.ts";
import type { Provenance } from "./answer-headers.ts";
import { stickiness } from "./stickiness.ts";

/** One request and what became of it. */
export interface TrafficAnswer extends Provenance {
  readonly user: string;
  readonly isStreaming: boolean;
  /** When the request was sent, milliseconds since the epoch with fractions. */
  readonly sentAtEpochMs: number;
  /** Sent to last byte, or to the failure. */
  readonly latencyMs: number;
  /** Null when no answer began. */
  readonly status: number | null;
  /** `whole`; `cut`: began but did not end; `none`: no answer began; `unfinished`: we stopped waiting at the end. */
  readonly body: "whole" | "cut" | "none" | "unfinished";
}

/** Counts of one arm's answers. */
interface ArmTally {
  readonly requests: number;
  /** Answers by HTTP status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly cutBodies: number;
  readonly coldStarts: number;
  /** Over whole answers below 500 that were not cold starts; null when there is none. */
  readonly latencyMsP50: number | null;
  readonly latencyMsP95: number | null;
}

/** Answers of one release. */
interface ReleaseTally {
  readonly requests: number;
  /** When the last request was sent that it answered, milliseconds since the epoch. */
  readonly lastSentAtEpochMs: number;
}

/** What the client saw, independent of the gateway's own counts. */
export interface TrafficSummary {
  /** Requests sent. */
  readonly requests: number;
  readonly answered: number;
  /**
   * Requests without any answer, and answers of status 500 and above that the gateway made itself. Bodies it cut look
   * the same as bodies cut by an upstream: those are in `cutBodies`, and only the gateway can tell them apart.
   */
  readonly failedByRouter: number;
  readonly stickyViolations: number;
  readonly candidateRequests: number;
  /** By time of sending, milliseconds since the epoch; null when the candidate answered nobody. */
  readonly firstCandidateSentAtEpochMs: number | null;
  readonly lastCandidateSentAtEpochMs: number | null;
  readonly byArm: ByArm<ArmTally>;
  /** By the name that the release gives itself. */
  readonly byRelease: Readonly<Record<string, ReleaseTally>>;
  /** Answers that named no arm. */
  readonly withoutArm: number;
  readonly cutBodies: number;
  /** Answers that a release took out of a cache where another one had put them. */
  readonly crossedCacheReads: number;
  /** Requests not sent because the cap of requests in flight was reached; above 0 the loop was not open. */
  readonly skippedAtCap: number;
  /** Still running when the run was over. */
  readonly unfinished: number;
  /** Users seen. */
  readonly users: number;
  /** Largest delay of a sending behind its drawn time: how far the generator itself was behind. */
  readonly lagMsMax: number;
}

interface ArmCounts {
  requests: number;
  readonly statuses: Record<string, number>;
  cutBodies: number;
  coldStarts: number;
  readonly latencies: number[];
}

/** The k-th smallest with k = ceil(share * n), so always a value that occurred. */
function quantile(ordered: readonly number[], share: number): number | null {
  return ordered[Math.max(0, Math.ceil(share * ordered.length) - 1)] ?? null;
}

function armTally({ latencies, ...counts }: ArmCounts): ArmTally {
  const ordered = latencies.toSorted((left, right) => left - right);
  return {
    ...counts,
    statuses: { ...counts.statuses },
    latencyMsP50: quantile(ordered, 0.5),
    latencyMsP95: quantile(ordered, 0.95),
  };
}

/** Collects answers and sums them up at any moment. Keeps one number per answer for exact quantiles. */
export interface Tally {
  sent(user: string, lagMs: number): void;
  skipped(): void;
  add(answer: TrafficAnswer): void;
  summary(): TrafficSummary;
}

function isRouterFailure(answer: TrafficAnswer): boolean {
  if (answer.body === "none") return true;
  return answer.isGatewayMade && answer.status !== null && answer.status >= 500;
}

/** An empty tally. */
export function tally(): Tally {
  const empty = (): ArmCounts => ({
    requests: 0,
    statuses: {},
    cutBodies: 0,
    coldStarts: 0,
    latencies: [],
  });
  const arms: Record<ServingArm, ArmCounts> = { stable: empty(), candidate: empty() };
  const counts = {
    requests: 0,
    answered: 0,
    failedByRouter: 0,
    withoutArm: 0,
    cutBodies: 0,
    crossedCacheReads: 0,
    skippedAtCap: 0,
    unfinished: 0,
  };
  const users = new Set<string>();
  const releases = new Map<string, ReleaseTally>();
  const sticky = stickiness();
  let [first, last, lagMsMax] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];

  const addToArm = (arm: ServingArm, answer: TrafficAnswer): void => {
    const own = arms[arm];
    own.requests++;
    if (answer.status !== null) own.statuses[answer.status] = (own.statuses[answer.status] ?? 0) + 1;
    if (answer.body === "cut") own.cutBodies++;
    if (answer.isColdStart) own.coldStarts++;
    const isMeasured = answer.body === "whole" && answer.status !== null && answer.status < 500 && !answer.isColdStart;
    if (isMeasured) own.latencies.push(answer.latencyMs);
    if (arm === "candidate") {
      first = Math.min(first, answer.sentAtEpochMs);
      last = Math.max(last, answer.sentAtEpochMs);
    }
    const { user, document, candidateBp } = answer;
    if (document !== null && candidateBp !== null) sticky.observe({ user, arm, document, candidateBp });
  };

  const addToRelease = ({ release, sentAtEpochMs }: TrafficAnswer): void => {
    if (release === null) return;
    const { requests = 0, lastSentAtEpochMs = 0 } = releases.get(release) ?? {};
    releases.set(release, {
      requests: requests + 1,
      lastSentAtEpochMs: Math.max(lastSentAtEpochMs, sentAtEpochMs),
    });
  };

  return {
    sent(user, lagMs) {
      counts.requests++;
      users.add(user);
      lagMsMax = Math.max(lagMsMax, lagMs);
    },
    skipped() {
      counts.skippedAtCap++;
    },
    add(answer) {
      if (answer.status !== null) counts.answered++;
      if (isRouterFailure(answer)) counts.failedByRouter++;
      if (answer.body === "cut") counts.cutBodies++;
      if (answer.body === "unfinished") counts.unfinished++;
      if (answer.isCrossed) counts.crossedCacheReads++;
      addToRelease(answer);
      if (answer.arm !== null) addToArm(answer.arm, answer);
      else if (answer.status !== null) counts.withoutArm++;
    },
    summary: () => ({
      ...counts,
      stickyViolations: sticky.violations(),
      candidateRequests: arms.candidate.requests,
      firstCandidateSentAtEpochMs: Number.isFinite(first) ? first : null,
      lastCandidateSentAtEpochMs: Number.isFinite(last) ? last : null,
      byArm: { stable: armTally(arms.stable), candidate: armTally(arms.candidate) },
      byRelease: Object.fromEntries(releases),
      users: users.size,
      lagMsMax,
    }),
  };
}
