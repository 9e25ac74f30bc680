import { SERVING_ARMS } from "../core/arm.ts";
import { manifestDifferences } from "../core/release/manifest.ts";
import { isFinal, type Rollout } from "../core/rollout/rollout.ts";
import { judgeClaim, releaseName, type ServicePointer } from "../core/service/pointer.ts";
import { type ArmPlan, mannerOf, type RolloutPlan } from "../core/stage/plan.ts";
import type { StoredRollout } from "../ports/controller-store.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { HealthReader } from "../ports/health.ts";
import type { ProbeRunner } from "../ports/probe-runner.ts";
import type { TrafficDriver } from "../ports/traffic.ts";
import { armUrl } from "../spec/normal-url.ts";
import { currentArm } from "../spec/plan.ts";

/** Why a plan was not accepted; the code is the problem's `type` and decides the exit code. */
export interface Refused {
  readonly kind: "refused";
  readonly code:
    | "conflict"
    | "generation"
    | "no-gateway"
    | "not-found"
    | "target-unreachable"
    | "probes-unfit"
    | "unknown-driver";
  readonly message: string;
}

/** What became of a plan. */
export type Applied =
  | { readonly kind: "accepted"; readonly rollout: Rollout }
  | { readonly kind: "unchanged"; readonly rollout: Rollout; readonly note: string | null }
  | Refused;

const refused = (code: Refused["code"], message: string): Refused => ({ kind: "refused", code, message });

/**
 * Why a running rollout, of this name or of this service, stands in the way; null when none does.
 * @param removed the last generation of this name that was removed, 0 for none: its ids are not given again
 */
export function conflictOf(plan: RolloutPlan, rollouts: readonly Rollout[], removed: number): Refused | null {
  const existing = rollouts.find(({ plan: { rolloutId } }) => rolloutId === plan.rolloutId);
  if (existing !== undefined && !isFinal(existing)) {
    const found = `rollout ${plan.rolloutId} is ${existing.phase} with another document, gold set or map`;
    const advice = `wait for its end, end it with "sluice abort ${plan.rolloutId}", or give this one another name`;
    return refused("conflict", `${found}; ${advice}`);
  }
  const busy = busyWithRollout(plan, rollouts);
  if (busy !== null) return busy;
  const generation = (existing?.plan.generation ?? removed) + 1;
  if (plan.generation === generation) return null;
  const found = `generation ${plan.generation} of ${plan.rolloutId} was given, ${generation} is next`;
  return refused("generation", `${found}; read the rollout again and retry`);
}

/** Why a running rollout of the service stands in the way of whatever else would order its traffic. */
export function busyWithRollout({ service }: RolloutPlan, rollouts: readonly Rollout[]): Refused | null {
  const busy = rollouts.find((rollout) => rollout.plan.service === service && !isFinal(rollout));
  if (busy === undefined) return null;
  const { rolloutId } = busy.plan;
  const found = `rollout ${rolloutId} of service ${service} is ${busy.phase}`;
  return refused("conflict", `${found}; wait for its end or abort it first: sluice abort ${rolloutId}`);
}

/** Nothing is accepted that could not even begin: no data plane, or a target that does not answer. */
export async function preflight(
  plan: RolloutPlan,
  traffic: Readonly<Record<string, TrafficDriver>>,
  health: HealthReader,
  signal: AbortSignal,
): Promise<Refused | null> {
  const driver = traffic[plan.driver];
  if (driver === undefined) {
    const known = Object.keys(traffic).join(", ");
    return refused("unknown-driver", `no traffic driver "${plan.driver}"; known: ${known}`);
  }
  const missing = await driver.check(plan.service, signal);
  if (missing !== null) return refused("no-gateway", missing);
  const [unread] = await unreadArms(plan, health, signal);
  return unread === undefined ? null : refused("target-unreachable", unread);
}

/** Arms whose health the controller cannot read from where it is: a sentence for each. */
export async function unreadArms(
  plan: RolloutPlan,
  health: HealthReader,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const unread: string[] = [];
  for (const arm of SERVING_ARMS) {
    const { healthUrl } = plan.arms[arm];
    if (healthUrl === null) continue;
    const answer = await health.read(healthUrl, signal, plan.arms[arm]);
    if (answer.kind === "read") continue;
    const advice = "start the service, correct its health address, or write `health: null` when it has none";
    unread.push(
      answer.unasked === true
        ? `the controller cannot ask ${arm} at ${healthUrl}: ${answer.reason}`
        : `${arm} is not ready at ${healthUrl}: ${answer.reason}; ${advice}`,
    );
  }
  return unread;
}

/** A few gold questions to both arms: what no probe could ever pass is told now, not after an hour. */
export async function smokeTest(plan: RolloutPlan, probes: ProbeRunner, signal: AbortSignal): Promise<Refused | null> {
  if (plan.probes === null) return null;
  const advice = "nothing was begun; see what was sent and answered with: sluice doctor FILE";
  try {
    const problem = await probes.smoke(plan, signal);
    if (problem === null) return null;
    return refused(problem.kind === "unfit" ? "probes-unfit" : "target-unreachable", `${problem.reason}; ${advice}`);
  } catch (error) {
    if (error instanceof DriverError) return refused("probes-unfit", error.message);
    if (!signal.aborted) throw error;
    return refused("target-unreachable", `a few questions to both arms took too long; ${advice}`);
  }
}

/**
 * Holds what a plan says of stable against what the service serves. The plan comes back with the service's own arm
 * where it claims nothing, so that its first document moves nobody.
 * @source definitions.md §13
 */
export async function settleStable(
  plan: RolloutPlan,
  pointer: ServicePointer | null,
  health: HealthReader,
  signal: AbortSignal,
): Promise<{ readonly kind: "settled"; readonly plan: RolloutPlan; readonly isMoved: boolean } | Refused> {
  if (pointer === null) {
    const { stable, candidate } = plan.arms;
    if (stable.endpoints.length > 0 && armUrl(stable) === armUrl(candidate)) {
      const found = `the candidate's address ${armUrl(candidate)} is where users are before the first rollout`;
      return refused("conflict", `${found}; give the new release an address of its own`);
    }
    if (plan.claim !== null || plan.arms.stable.endpoints.length > 0) return { kind: "settled", plan, isMoved: false };
    const advice = "write `startsFrom: { url: … }` beside `stable: current`, or give stable its url";
    return refused("conflict", `service ${plan.service} has no current release yet; ${advice}`);
  }
  if (armUrl(plan.arms.candidate) === pointer.url) {
    const found = `the candidate's address ${pointer.url} is what service ${plan.service} serves already`;
    return refused("conflict", `${found}, ${sinceOf(pointer)}; give the new release an address of its own`);
  }
  if (plan.claim === null) {
    // The document's own credentials are newer than those of the rollout that brought the release.
    const manner = { ...mannerOf(plan.arms.candidate), ...mannerOf(plan.arms.stable) };
    const stable = { ...currentArm(pointer.arm, plan.probes !== null), ...manner };
    return { kind: "settled", plan: { ...plan, arms: { ...plan.arms, stable } }, isMoved: false };
  }
  const reported = await reportedRelease(plan.arms.stable, health, signal);
  const answer = judgeClaim(plan.claim, pointer, reported);
  if (answer !== "differs") return { kind: "settled", plan, isMoved: answer === "moved-address" };
  return refused("conflict", claimRefusal(plan.claim, pointer));
}

async function reportedRelease(arm: ArmPlan, health: HealthReader, signal: AbortSignal): Promise<string | null> {
  if (arm.healthUrl === null) return null;
  const answer = await health.read(arm.healthUrl, signal, arm);
  return answer.kind === "read" ? answer.manifest.release_id : null;
}

/** Since what and when a pointer is where it is, for people. */
function sinceOf({ since }: ServicePointer): string {
  const process = since.generation === null ? "an operator's adopt" : `rollout ${since.process}`;
  return `since ${process} at ${new Date(since.at).toISOString()}`;
}

/** What is served, since when, and what to write: the words for a claim that differs. */
function claimRefusal(claim: NonNullable<RolloutPlan["claim"]>, pointer: ServicePointer): string {
  const { service, url } = pointer;
  const said = `${claim.url}${claim.release === null ? "" : ` (release ${claim.release})`}`;
  const served = `${url} (release ${releaseName(pointer)}), ${sinceOf(pointer)}`;
  const advice = "write `stable: current`, or that address; what was changed from outside is taken over with";
  return `this document says stable is ${said}, but service ${service} serves ${served}; ${advice} "sluice service adopt ${service} --url URL --reason …"`;
}

/** What the same document again comes to: nothing, or a refusal because something else stands behind its address. */
export async function sameAgain(
  { rollout, observations }: StoredRollout,
  pointer: ServicePointer | null,
  health: HealthReader,
  signal: AbortSignal,
): Promise<{ readonly kind: "unchanged"; readonly rollout: Rollout; readonly note: string | null } | Refused> {
  const { plan } = rollout;
  const { rolloutId, arms } = plan;
  if (rollout.phase === "promoted" && pointer !== null && pointer.since.process !== rolloutId) {
    const served = `users have ${releaseName(pointer)} at ${pointer.url} by now, ${sinceOf(pointer)}`;
    return { kind: "unchanged", rollout, note: `${served}; to release this one once more: sluice retry ${rolloutId}` };
  }
  const pinned = observations.pinned?.candidate ?? null;
  const { healthUrl } = arms.candidate;
  const cannotTell = (why: string) =>
    ({ kind: "unchanged", rollout, note: `${why}, so nobody can tell whether it is still the same release` }) as const;
  if (healthUrl === null) return cannotTell("the candidate has no health address");
  if (pinned === null) return cannotTell(`rollout ${rolloutId} has not compared the candidate's identity`);
  const found = await health.read(healthUrl, signal, arms.candidate);
  if (found.kind !== "read") {
    const isOver = isFinal(rollout) && rollout.phase !== "promoted";
    const why = `the candidate is not ready at ${healthUrl}: ${found.reason}`;
    return isOver ? cannotTell(why) : refused("target-unreachable", `${why}; nothing was changed`);
  }
  const [difference] = manifestDifferences(pinned, found.manifest);
  if (difference === undefined) return { kind: "unchanged", rollout, note: null };
  const { field, left, right } = difference;
  const what = field === "release_id" ? "" : ` (${field} ${left} became ${right})`;
  const now = `the candidate is now ${found.manifest.release_id}${what}, this rollout judged ${pinned.release_id}`;
  return refused("conflict", `${now}: sluice retry ${rolloutId}, or give \`release:\` in the document`);
}
