import { createHash } from "node:crypto";
import type { ProbePlan, RolloutPlan } from "../core/stage/plan.ts";
import { httpAccess } from "../drivers/access/http/index.ts";
import { DriverError } from "../ports/driver-error.ts";
import { InputError } from "../probe/input-error.ts";
import type { ProbeTarget } from "../probe/target.ts";
import { type GoldFile, readGold } from "./read-gold.ts";
import { readMap } from "./read-map.ts";
import { systemClock } from "./system-clock.ts";

/** What the probes of a plan ask, and whom. */
interface OpenedProbes {
  readonly probes: ProbePlan;
  readonly gold: GoldFile;
  readonly stable: ProbeTarget;
  readonly candidate: ProbeTarget;
}

/** The gold set of a plan. Rejects with DriverError when it cannot be read. */
export function openGold({ set }: ProbePlan): Promise<GoldFile> {
  return asDriverError(() => readGold(set));
}

/** The files and targets of a plan's probes. Rejects with DriverError when one cannot be used. */
export async function openProbes(plan: RolloutPlan): Promise<OpenedProbes> {
  const { probes } = plan;
  if (probes === null)
    throw new DriverError("unsupported", "never", `rollout ${plan.rolloutId} has no probes; add spec.probes`);
  const gold = await openGold(probes);
  if (gold.textDigest !== probes.goldDigest) {
    const advice = "restore it, or apply the document again for a new generation";
    throw new DriverError("rejected", "never", `the gold set ${probes.set} changed since the rollout began; ${advice}`);
  }
  const map = probes.map === null ? null : await asDriverError(() => readMap(probes.map as string));
  const target = (arm: "stable" | "candidate"): ProbeTarget => {
    const { access } = plan.arms[arm];
    const pins = pinsOf(`${plan.rolloutId}/${plan.generation}`, arm);
    return {
      url: answerUrl(plan, arm),
      pins,
      map,
      access: access === undefined ? null : httpAccess(access, systemClock()),
    };
  };
  return { probes, gold, stable: target("stable"), candidate: target("candidate") };
}

function answerUrl(plan: RolloutPlan, arm: "stable" | "candidate"): string {
  const url = plan.arms[arm].answerUrl;
  if (url === null) throw new DriverError("unsupported", "never", `${arm} has no answer address to probe`);
  return url;
}

function pinsOf(generation: string, arm: string): string {
  return createHash("sha256").update(`${generation}/${arm}`).digest("hex");
}

/** Files that cannot be read are a failed conversation for the controller, not the end of its process. */
export async function asDriverError<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof InputError) throw new DriverError("rejected", "never", error.message, error);
    throw error;
  }
}
