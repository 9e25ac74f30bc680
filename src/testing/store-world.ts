import type { JournalEntry } from "../core/rollout/journal-entry.ts";
import { assert } from "../core/assert.ts";
import type { Observations } from "../core/observe/observations.ts";
import { NO_WORST } from "../core/observe/worst-window.ts";
import { compare, type RolloutOrder } from "../core/rollout/order.ts";
import { newRollout, SCHEMA } from "../core/rollout/rollout.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { PointerMove } from "../core/service/pointer.ts";
import type { ArmPlan, RolloutPlan } from "../core/stage/plan.ts";
import { BP_NONE, bp, epochMs } from "../core/unit.ts";
import type { Change, ControllerStore, PublishedDocument, StoredRollout } from "../ports/controller-store.ts";

/** What a store brings to its conformance run. */
export interface StoreWorld {
  /** Every handle of a world sees the same data. */
  open(): Promise<ControllerStore>;
  /** Unique for each run, so that a shared server needs no cleaning. */
  readonly prefix: string;
}

export interface StoreCase {
  readonly name: string;
  run(world: StoreWorld): Promise<void>;
}

const AT = epochMs(1_800_000_000_000);

function arm(releaseId: string): ArmPlan {
  const url = `http://127.0.0.1/${releaseId}`;
  return { releaseId, url, endpoints: [url], cachePrefix: `${releaseId}:`, healthUrl: url, answerUrl: null };
}

function plan(rolloutId: string, service: string): RolloutPlan {
  return {
    rolloutId,
    generation: 1,
    service,
    arms: { stable: arm("r1"), candidate: arm("r2") },
    stages: [{ kind: "watch", holdMs: 1_000 }],
    gates: [],
    onFail: { to: "stable" },
    changes: [],
    identity: { trustedHeaders: [], stickyBy: [] },
    allow: [],
    sticky: { seed: 1, ttlMs: 1_000 },
    drainMs: 1_000,
    probes: null,
    metrics: [],
    driver: "memory",
    rollbackWithinMs: 1_000,
    documentDigest: "sha256:0",
    claim: null,
    acceptedEpoch: 0,
  };
}

const OBSERVATIONS: Observations = {
  evidence: { states: { gate: { b: 1, a: [0.1, 1e-300, "λ → “ß”"] } }, blocks: 3 },
  generation: 0,
  judgedAfterEpoch: 0,
  cursors: { g1: 41 },
  sinceEpoch: 2,
  totals: {
    requests: { stable: 10, candidate: 1 },
    failures: { stable: 0, candidate: 0 },
    units: { stable: 5, candidate: 1 },
    cold: { stable: 0, candidate: 1 },
    gatewayFailures: 0,
    lostWindows: 0,
    latest: null,
    firstCandidateAt: null,
    lastCandidateAt: AT,
  },
  worst: NO_WORST,
  pinned: null,
};

export function stored(rolloutId: string, version: number, over: Partial<RolloutPlan> = {}): StoredRollout {
  const rollout = newRollout({ ...plan(rolloutId, `${rolloutId}-service`), ...over });
  return { rollout, observations: OBSERVATIONS, version, createdAt: AT };
}

/** The same rollout after one more window: counts grow, a bin and a gateway come, verdicts come and go. */
export function after({ rollout, observations, version, createdAt }: StoredRollout): StoredRollout {
  const next = version + 1;
  const bins = Array.from({ length: 20 }, (_, bin) => [3 * bin + (bin > next % 20 ? 1 : 0), next]).flat();
  const cursors = { ...observations.cursors, [`g${1 + (next % 7)}`]: next };
  const { totals, evidence } = observations;
  const requests = { stable: totals.requests.stable + next, candidate: next };
  const states = { ...evidence.states, gate: { bins, ...(next % 3 === 0 ? { last: "λ → “ß”" } : {}) } };
  const seen = { evidence: { states, blocks: next }, cursors, totals: { ...totals, requests } };
  const failuresByStage = next % 5 === 0 ? {} : { ...rollout.failuresByStage, [next % 11]: next };
  const state = { ...rollout, nextOrderIndex: next, failuresByStage };
  return { rollout: state, observations: { ...observations, ...seen }, version: next, createdAt };
}

const ORDER: RolloutOrder = { ...compare(), id: "r/1/0" };

export function entry(rolloutId: string, index: number): JournalEntry {
  const event = { kind: "tick", at: AT } as const;
  const place = { phase: "checking", stageIndex: 0, candidateBp: BP_NONE } as const;
  return { schema: SCHEMA, rolloutId, index, event, orders: [ORDER], ...place };
}

export function published(service: string, epoch: number, seq: number, candidateBp: number): PublishedDocument {
  const { releaseId, endpoints, cachePrefix } = arm("r1");
  const document: RoutingDocument = {
    version: 1,
    service,
    epoch,
    seq,
    rolloutId: null,
    arms: { stable: { releaseId, endpoints, cachePrefix }, candidate: null },
    candidateBp: bp(candidateBp),
    sticky: { hash: "v1", seed: 1, ttlMs: 1_000 },
    identity: { trustedHeaders: [], stickyBy: [] },
    allow: [],
    closed: [],
    drainMs: 1_000,
    issuedAt: AT,
  };
  return { document, orderId: `${service}/1/${seq}` };
}

/** The nth place of a service's pointer. */
export function pointerMove(service: string, version: number): PointerMove {
  const url = `http://127.0.0.1/r${version}`;
  const since = { process: `r-${version}`, generation: 1, at: AT };
  const release = { release: null, reported: `r${version}` };
  const pointer = { service, region: "default", ...release, url, arm: arm(`r${version}`), epoch: version, since };
  return { version, cause: "promoted", by: "ann", reason: "λ “ß”", pointer };
}

export async function find(store: ControllerStore, rolloutId: string): Promise<StoredRollout | undefined> {
  return (await store.rollouts()).find(({ rollout }) => rollout.plan.rolloutId === rolloutId);
}

export function same(found: unknown, expected: unknown, what: string): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  assert(left === right, `${what}: found ${left}, expected ${right}`);
}

/** Commits and demands that it is taken. */
export async function must(store: ControllerStore, change: Change): Promise<void> {
  assert(await store.commit(change), `refused, expected to be stored: ${JSON.stringify(change)}`);
}

/** Commits and demands that it is refused. */
export async function mustNot(store: ControllerStore, change: Change): Promise<void> {
  assert(!(await store.commit(change)), `stored, expected to be refused: ${JSON.stringify(change)}`);
}
