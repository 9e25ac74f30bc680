import { unreachable } from "../core/assert.ts";
import { judgeProbes } from "../core/judge/engine.ts";
import { judgeIdentity } from "../core/judge/engine.ts";
import { overall } from "../core/verdict.ts";
import type { Manifest } from "../core/release/manifest.ts";
import type { ByArm } from "../core/arm.ts";
import type { Effect } from "../core/rollout/effect.ts";
import type { Rollout } from "../core/rollout/rollout.ts";
import type { Confirmation, Direction } from "../core/routing/confirm.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import type { Verdict } from "../core/verdict.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControllerStore } from "../ports/controller-store.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { HealthReader } from "../ports/health.ts";
import type { ProbeRunner } from "../ports/probe-runner.ts";
import type { TrafficDriver } from "../ports/traffic.ts";
import type { DocumentLedger } from "./document-ledger.ts";
import type { ServicePointers } from "./service-pointers.ts";

export interface EffectTools {
  readonly store: ControllerStore;
  readonly ledger: DocumentLedger;
  readonly pointers: ServicePointers;
  readonly traffic: Readonly<Record<string, TrafficDriver>>;
  readonly probes: ProbeRunner;
  readonly health: HealthReader;
  readonly clock: Clock;
}

export type EffectResult =
  | {
      readonly kind: "succeeded";
      readonly verdicts: readonly Verdict[];
      readonly pinned?: ByArm<Manifest>;
    }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

const ADOPTION_TIMEOUT_MS = 5_000;
const ADOPTION_POLL_MS = 20;
/** Gateways a message names; the list has them all. */
const TOLD_MAX = 3;
const TRIES_MAX = 4;
const RETRY_BASE_MS = 200;

/**
 * Runs one effect to its end. Every effect may be run again: publishing is recognised by the effect's id, checks and
 * probes only read. Never rejects except when `signal` aborts, because the outcome of work is an event, not an error.
 */
export async function runEffect(
  effect: Effect,
  rollout: Rollout,
  pinned: ByArm<Manifest> | null,
  tools: EffectTools,
  signal: AbortSignal,
): Promise<EffectResult> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted(); // An order given up while it paused must not be tried again.
    try {
      return await runOnce(effect, rollout, pinned, tools, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof DriverError)) throw error;
      if (error.retry === "never" || attempt === TRIES_MAX)
        return { kind: "failed", code: error.code, message: error.message };
      await tools.clock.sleep(RETRY_BASE_MS * 2 ** (attempt - 1), signal);
    }
  }
}

function runOnce(
  effect: Effect,
  rollout: Rollout,
  pinned: ByArm<Manifest> | null,
  tools: EffectTools,
  signal: AbortSignal,
): Promise<EffectResult> {
  switch (effect.kind) {
    case "check-parity":
      return checkParity(rollout.plan, pinned, tools, signal);
    case "run-probes":
      return probe(effect, rollout, tools, signal);
    case "set-split":
      return setSplit(effect, rollout.plan, pinned, tools, signal);
    default:
      return unreachable(effect);
  }
}

/** Reads both manifests and compares them; the first pass pins them for the rest of the rollout. */
export async function checkParity(
  plan: RolloutPlan,
  pinned: ByArm<Manifest> | null,
  { health }: Pick<EffectTools, "health">,
  signal: AbortSignal,
): Promise<EffectResult> {
  const read = (arm: RolloutPlan["arms"]["stable"]) =>
    arm.healthUrl === null
      ? Promise.resolve({ kind: "unreadable", reason: "the document gives no health endpoint" } as const)
      : health.read(arm.healthUrl, signal, arm);
  const [stable, candidate] = await Promise.all([read(plan.arms.stable), read(plan.arms.candidate)]);
  const verdicts = judgeIdentity(pinned, { stable, candidate }, plan.changes, plan.gates);
  const canPin = overall(verdicts) === "pass" && stable.kind === "read" && candidate.kind === "read";
  const pins = canPin ? { pinned: { stable: stable.manifest, candidate: candidate.manifest } } : {};
  return { kind: "succeeded", verdicts, ...pins };
}

async function probe(
  effect: Extract<Effect, { kind: "run-probes" }>,
  rollout: Rollout,
  { probes, store }: EffectTools,
  signal: AbortSignal,
): Promise<EffectResult> {
  const { plan, candidateBp } = rollout;
  const { tier, extraRepeats, id } = effect;
  const report = await probes.run({ plan, tier, extraRepeats }, signal);
  await store.commit({ report: { rolloutId: plan.rolloutId, effectId: id, report } });
  return {
    kind: "succeeded",
    verdicts: judgeProbes(report, { kind: "probes", candidateBp, heldMs: 0, holdMs: 0 }, plan.gates),
  };
}

async function setSplit(
  effect: Extract<Effect, { kind: "set-split" }>,
  plan: RolloutPlan,
  pinned: ByArm<Manifest> | null,
  tools: EffectTools,
  signal: AbortSignal,
): Promise<EffectResult> {
  const driver = tools.traffic[plan.driver];
  if (driver === undefined) {
    const known = Object.keys(tools.traffic).join(", ");
    return { kind: "failed", code: "unsupported", message: `no traffic driver "${plan.driver}"; known: ${known}` };
  }
  const document = await tools.ledger.publishOnce(plan, effect, signal, pinned);
  if (document === null) return { kind: "succeeded", verdicts: [] };
  await driver.apply(document, signal);
  const direction: Direction = effect.closed.includes("candidate") ? "back" : "forward";
  const found = await waitUntilConfirmed(driver, document, direction, tools.clock, signal);
  if (found.isConfirmed) {
    await tools.pointers.create(plan, document, pinned);
    return { kind: "succeeded", verdicts: [] };
  }
  return unconfirmed(document, found, direction);
}

/** Why a document is not confirmed, in plain words first: which gateways stand in its way, what each may still do. */
function unconfirmed(
  { service, epoch, seq }: RoutingDocument,
  { planes }: Confirmation,
  direction: Direction,
): EffectResult {
  const waiting = planes.filter(({ standing }) => standing === "waiting");
  const isRefused = waiting.some((plane) => plane.isRefused);
  const what = direction === "back" ? "the way back to stable" : "the new share";
  const did = isRefused ? `refused ${what}` : `went away or did not take ${what}`;
  // Where none stands in the way, none is left that could serve it: those went away and their lease is over.
  const named = waiting.length > 0 ? waiting : planes;
  const told = named.slice(0, TOLD_MAX).map(({ gatewayId, text }) => `${gatewayId} ${text}`);
  const more = named.length > told.length ? `, and ${named.length - told.length} more` : "";
  const [first] = named;
  const one = `the gateway ${first?.gatewayId} ${did}: it ${first?.text}`;
  const many = `${named.length} gateways ${did}: ${told.join("; ")}${more}`;
  const none = `no gateway of ${service} took ${what}: none has reported`;
  const who = named.length === 0 ? none : named.length === 1 ? one : many;
  const message = `${who} (document ${epoch}.${seq} of ${service})`;
  return { kind: "failed", code: isRefused ? "refused" : "unverified", message };
}

/** Asks until every data plane that matters serves exactly the document, or one has said that it never will. */
async function waitUntilConfirmed(
  driver: TrafficDriver,
  document: RoutingDocument,
  direction: Direction,
  clock: Clock,
  signal: AbortSignal,
): Promise<Confirmation> {
  const deadline = clock.monoMs() + ADOPTION_TIMEOUT_MS;
  for (;;) {
    const found = await driver.confirm(document, direction, signal);
    // On the way back a refusal changes nothing: the gateway stays where it is, and its lease ends.
    const isRefused = direction === "forward" && found.planes.some((plane) => plane.isRefused);
    if (found.isConfirmed || isRefused || clock.monoMs() >= deadline) return found;
    await clock.sleep(ADOPTION_POLL_MS, signal);
    signal.throwIfAborted();
  }
}
