import { isFinal } from "../core/rollout/rollout.ts";
import type { ServicePointer } from "../core/service/pointer.ts";
import { type ArmPlan, mannerOf } from "../core/stage/plan.ts";
import type { StoredRollout } from "../ports/controller-store.ts";
import type { HealthReader } from "../ports/health.ts";
import { normalUrl } from "../spec/normal-url.ts";
import type { Refused } from "./acceptance.ts";

/** What an operator says was changed from outside. */
export interface AdoptOrder {
  readonly url: string;
  readonly by: string;
  readonly reason: string;
}

export type Adopted = { readonly kind: "adopted" | "held"; readonly pointer: ServicePointer } | Refused;

/** The answer about a service that no rollout has begun yet. */
export function unknownService(service: string): Refused {
  const advice = "its first rollout makes it known; name its present address in that document";
  return { kind: "refused", code: "not-found", message: `no rollout of service "${service}" has begun yet; ${advice}` };
}

/**
 * The arm an operator takes over, read from its own health answer where the service has one. It gets a cache prefix of
 * its own, because what the release before it wrote may be wrong for it.
 */
export async function adoptTarget(
  service: string,
  url: string,
  pointer: ServicePointer | null,
  rollouts: readonly StoredRollout[],
  health: HealthReader,
  signal: AbortSignal,
): Promise<{ readonly kind: "adopt"; readonly arm: ArmPlan; readonly reported: string | null } | Adopted> {
  if (pointer === null) return unknownService(service);
  if (normalUrl(url) === pointer.url) return { kind: "held", pointer };
  const busy = rollouts.find(({ rollout }) => rollout.plan.service === service && !isFinal(rollout));
  if (busy !== undefined) {
    const { plan, phase } = busy.rollout;
    const message = `rollout ${plan.rolloutId} of service ${service} is ${phase}; end it first: sluice abort ${plan.rolloutId}`;
    return { kind: "refused", code: "conflict", message };
  }
  const { origin, host, href } = new URL(url);
  const before = pointer.arm.healthUrl;
  const healthUrl = before === null ? null : new URL(new URL(before).pathname, origin).href;
  const arm: ArmPlan = {
    releaseId: host,
    url: href,
    endpoints: [origin],
    cachePrefix: `adopted.${pointer.epoch + 1}:`,
    healthUrl,
    answerUrl: pointer.arm.answerUrl === null ? null : href,
    ...mannerOf(pointer.arm),
  };
  if (healthUrl === null) return { kind: "adopt", arm, reported: null };
  const answer = await health.read(healthUrl, signal, arm);
  if (answer.kind === "read") return { kind: "adopt", arm, reported: answer.manifest.release_id };
  const message = `nothing was changed: ${url} is not ready (${healthUrl}: ${answer.reason}); start it, or correct the address`;
  return { kind: "refused", code: "target-unreachable", message };
}
