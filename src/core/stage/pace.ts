import { bp, type Bp } from "../unit.ts";
import type { Stage } from "./plan.ts";

/** Users that a bad candidate may harm, on average, before it is stopped; by how bad it is. */
export interface HarmBounds {
  /** Users who meet a candidate that answers nothing. */
  readonly dead: number;
  /** Users who meet an error of a candidate that fails four times as often as stable. */
  readonly fourfoldErrors: number;
  /** Users who are served by a candidate that is 40 % slower. */
  readonly slower40: number;
}

/** How the shares of a paced rollout are chosen. What may be chosen are the plan's traffic stages. */
export interface PacePlan {
  readonly harm: HarmBounds;
  /** A proven share grows at most by this factor in one move. */
  readonly fastest: number;
}

/** What the traffic stages of a pace are made of. */
export interface PaceLadder {
  /** A share is at least so many times the one below it. */
  readonly slowest: number;
  /** Last share below 100 %, held for the soak. */
  readonly lastBp: Bp;
  readonly soakMs: number;
  readonly capMs: number;
  readonly watchMs: number;
}

/** Least time between two changes of the share. */
const BETWEEN_CHANGES_MS = 30_000;
/** Shares that may be chosen, in percent: preferred numbers from one user in a thousand. */
const PERCENTS = [0.1, 0.2, 0.3, 0.5, 0.7, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90] as const;
/** Where the gates' margins tighten, a few questions are asked before users follow. @source decision-policy.md */
const SMOKE_AT: readonly Bp[] = [bp(1_000), bp(5_000)];

/** Shares from one in a thousand to the last one, each at least `slowest` times the one before. */
function sharesOf({ slowest, lastBp }: PaceLadder): readonly Bp[] {
  const shares: Bp[] = [];
  for (const share of PERCENTS.map((percent) => bp(Math.round(percent * 100)))) {
    if (share * slowest > lastBp) break;
    if (share >= (shares.at(-1) ?? 0) * slowest) shares.push(share);
  }
  return [...shares, lastBp];
}

/**
 * The stages that a pace chooses from: full probes before the first user, a few questions where the margins tighten,
 * the last share held for the soak while stable is there to compare with, full probes and 100 %.
 * @source decision-policy.md "Pace by evidence"
 */
export function stagesOfPace(ladder: PaceLadder, isProbed: boolean): readonly Stage[] {
  const probes = (tier: "smoke" | "full"): readonly Stage[] => (isProbed ? [{ kind: "probes", tier }] : []);
  const { lastBp, soakMs, capMs, watchMs } = ladder;
  let belowBp = 0;
  const shares = sharesOf(ladder).flatMap((candidateBp): readonly Stage[] => {
    const tightens = SMOKE_AT.some((at) => belowBp < at && at <= candidateBp);
    belowBp = candidateBp;
    const holdMs = candidateBp === lastBp ? soakMs : BETWEEN_CHANGES_MS;
    const stage: Stage = { kind: "traffic", candidateBp, holdMs, capMs: Math.max(capMs, holdMs), onCap: "wait" };
    return [...(tightens ? probes("smoke") : []), stage];
  });
  return [...probes("full"), ...shares, ...probes("full"), { kind: "watch", holdMs: watchMs }];
}
