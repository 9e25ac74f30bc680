import { poissonCount, standardNormal } from "../stats/draw.ts";
import type { RandomStream } from "../stats/random.ts";
import { bp, epochMs } from "../unit.ts";
import type { Block } from "../judge/block.ts";
import { binOf, type SparseBins } from "../window/sketch.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW, type ErrorClass } from "../window/window.ts";

/** How one arm behaves at a moment of the rehearsal, `atS` seconds after its start. */
export interface ArmModel {
  /** Share of requests that fail, by class. */
  failures(atS: number): Readonly<Record<ErrorClass, number>>;
  /** Lognormal latency of warm answers: median in ms and sigma of the logarithm. */
  latency(atS: number): { readonly medianMs: number; readonly sigma: number };
  /** Cold starts among the answers, and how many times slower they are; absent for none. */
  cold?(atS: number): { readonly share: number; readonly factor: number };
}

/** The traffic a policy is rehearsed against. */
export interface World {
  readonly requestsPerSecond: number;
  readonly arms: { readonly stable: ArmModel; readonly candidate: ArmModel };
}

/** An arm whose failures and latency never change. */
export function steadyArm(
  failures: Readonly<Record<ErrorClass, number>>,
  latency: { readonly medianMs: number; readonly sigma: number },
): ArmModel {
  return { failures: () => failures, latency: () => latency };
}

/** Bins as they were drawn, one a request, in sparse form. */
function sparse(drawn: readonly number[]): SparseBins {
  const sorted = Int32Array.from(drawn).sort();
  const bins: number[] = [];
  for (let from = 0; from < sorted.length; ) {
    const bin = sorted[from] as number;
    let to = from + 1;
    while (sorted[to] === bin) to++;
    bins.push(bin, to - from);
    from = to;
  }
  return bins;
}

function armSecond(model: ArmModel, requests: number, atS: number, random: RandomStream): ArmWindow {
  const rates = Object.entries(model.failures(atS));
  const { medianMs, sigma } = model.latency(atS);
  const classes: Record<ErrorClass, number> = {};
  const start = model.cold?.(atS) ?? { share: 0, factor: 1 };
  const warm: number[] = [];
  const cold: number[] = [];
  let failures = 0;
  for (let index = 0; index < requests; index++) {
    let draw = random();
    const failed = rates.find(([, rate]) => {
      draw -= rate;
      return draw < 0;
    });
    if (failed !== undefined) {
      failures++;
      classes[failed[0]] = (classes[failed[0]] ?? 0) + 1;
      continue;
    }
    const isCold = start.share > 0 && random() < start.share;
    const bin = binOf((isCold ? start.factor : 1) * medianMs * Math.exp(sigma * standardNormal(random)));
    (isCold ? cold : warm).push(bin);
  }
  return {
    ...EMPTY_ARM_WINDOW,
    requests,
    requestsAll: requests,
    failures,
    failuresAll: failures,
    classes,
    warm: sparse(warm),
    cold: sparse(cold),
    // Each request by a user of its own: the draw is then as independent as the arrivals are.
    newUnits: requests,
  };
}

/** One second of both arms' traffic at a share, `atS` seconds after the rehearsal began. */
export type Traffic = (candidateBp: number, atS: number, random: RandomStream) => Block;

/** One second of traffic at a share: Poisson arrivals, split by share, each arm drawn from its own model. */
export function drawSecond(world: World, candidateBp: number, atS: number, random: RandomStream): Block {
  const share = candidateBp / 10_000;
  const candidate = poissonCount(world.requestsPerSecond * share, random);
  const stable = poissonCount(world.requestsPerSecond * (1 - share), random);
  return {
    candidateBp: bp(candidateBp),
    endMs: epochMs(atS * 1_000),
    spanMs: 1_000,
    source: "rehearsal",
    arms: {
      stable: armSecond(world.arms.stable, stable, atS, random),
      candidate: armSecond(world.arms.candidate, candidate, atS, random),
    },
  };
}
