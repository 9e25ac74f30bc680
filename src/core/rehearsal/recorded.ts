import { assert } from "../assert.ts";
import { binOf, lowerEdgeMs, type SparseBins } from "../window/sketch.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW } from "../window/window.ts";
import type { RandomStream } from "../stats/random.ts";
import { bp, epochMs } from "../unit.ts";
import type { Traffic } from "./world.ts";

/** How the rehearsed candidate differs from the traffic that was recorded. */
export interface RecordedHarm {
  /** Share of its requests that fail in addition. */
  readonly failureRate: number;
  /** Its latency over the recorded one. */
  readonly latencyFactor: number;
}

interface Drawn {
  readonly bins: ReadonlyMap<number, number>;
  readonly failures: number;
  readonly classes: Readonly<Record<string, number>>;
}

/** Each recorded second is dealt to the arms request by request, so that both share its rhythm and its bad moments. */
function deal(window: ArmWindow, share: number, random: RandomStream): readonly [stable: Drawn, candidate: Drawn] {
  const arms = [newDeal(), newDeal()] as const;
  const pick = () => arms[random() < share ? 1 : 0];
  for (let at = 0; at < window.warm.length; at += 2) {
    const [bin = 0, count = 0] = [window.warm[at], window.warm[at + 1]];
    for (let each = 0; each < count; each++) {
      const arm = pick();
      arm.bins.set(bin, (arm.bins.get(bin) ?? 0) + 1);
    }
  }
  for (const [name, count] of Object.entries(window.classes)) {
    for (let each = 0; each < count; each++) {
      const arm = pick();
      arm.failures++;
      arm.classes[name] = (arm.classes[name] ?? 0) + 1;
    }
  }
  return arms;
}

function newDeal() {
  return { bins: new Map<number, number>(), failures: 0, classes: {} as Record<string, number> };
}

function armOf(drawn: Drawn, harm: RecordedHarm, random: RandomStream): ArmWindow {
  const warm = new Map<number, number>();
  const classes: Record<string, number> = { ...drawn.classes };
  let failures = drawn.failures;
  for (const [bin, count] of drawn.bins) {
    for (let each = 0; each < count; each++) {
      if (harm.failureRate > 0 && random() < harm.failureRate) {
        failures++;
        classes["headers|5xx|503"] = (classes["headers|5xx|503"] ?? 0) + 1;
        continue;
      }
      // The middle of the bin, so that a factor of 1 keeps every latency where it was.
      const slower = harm.latencyFactor === 1 ? bin : binOf(lowerEdgeMs(bin) * MIDDLE * harm.latencyFactor);
      warm.set(slower, (warm.get(slower) ?? 0) + 1);
    }
  }
  const bins: SparseBins = [...warm].sort(([a], [b]) => a - b).flat();
  const requests = failures + [...warm.values()].reduce((sum, count) => sum + count, 0);
  const counts = { requests, requestsAll: requests, failures, failuresAll: failures, newUnits: requests };
  return { ...EMPTY_ARM_WINDOW, ...counts, classes, warm: bins };
}

/** Bins of the sketch grow by 1/128; half of that is their middle. */
const MIDDLE = 1 + 1 / 256;
const NO_HARM: RecordedHarm = { failureRate: 0, latencyFactor: 1 };

/**
 * Traffic drawn from recorded seconds of a service, over and over: the second virtual second is the second recorded
 * one.
 * @param seconds what stable answered in each second; at least one
 */
export function recordedTraffic(seconds: readonly ArmWindow[], harm: RecordedHarm): Traffic {
  assert(seconds.length > 0, "a recording has at least one second");
  return (candidateBp, atS, random) => {
    const window = seconds[(atS - 1) % seconds.length] ?? EMPTY_ARM_WINDOW;
    const [stable, candidate] = deal(window, candidateBp / 10_000, random);
    const arms = { stable: armOf(stable, NO_HARM, random), candidate: armOf(candidate, harm, random) };
    return { candidateBp: bp(candidateBp), endMs: epochMs(atS * 1_000), spanMs: 1_000, source: "rehearsal", arms };
  };
}
