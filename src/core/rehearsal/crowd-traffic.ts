import type { RandomStream } from "../stats/random.ts";
import type { Block } from "../judge/block.ts";
import { bp, epochMs } from "../unit.ts";
import { otherClassOf } from "../window/error-class.ts";
import { ArmSlot } from "../window/recorder.ts";
import { countBins, mergeBins, quantileOf, type SparseBins } from "../window/sketch.ts";
import { UnitBudget } from "../window/unit-budget.ts";
import { UnitLog } from "../window/unit-log.ts";
import { type Crowd, drawCrowd, type Population } from "./population.ts";
import type { Traffic } from "./world.ts";

const SERVER_ERROR = "headers|5xx|503";
const SLOW_SAMPLES = 200;

/** One run's users, and what a gateway would keep of them between windows. */
class Run {
  readonly #crowd: Crowd;
  readonly #segments: Population["segments"];
  readonly #log: UnitLog;
  readonly #budget = new UnitBudget();
  readonly #slots = { stable: new ArmSlot(), candidate: new ArmSlot() };
  readonly #seen = new Set<number>();
  #warm: SparseBins = [];
  #slowMs: number | null = null;

  constructor(population: Population, random: RandomStream) {
    this.#crowd = drawCrowd(population, random);
    this.#log = new UnitLog(this.#crowd.key);
    this.#segments = population.segments;
  }

  second(candidateBp: number, atS: number): Block {
    const [share, slots] = [bp(candidateBp), this.#slots];
    for (const { person, arm, failed, latencyMs } of this.#crowd.second(candidateBp / 10_000, atS)) {
      if (!this.#seen.has(person.hash)) slots[arm].countNewUnit();
      this.#seen.add(person.hash);
      const errorClass = failed ? SERVER_ERROR : null;
      const isEvidence = this.#budget.spend(person.hash, atS * 1_000);
      slots[arm].countUser(false, latencyMs, errorClass, isEvidence);
      if (!isEvidence) continue;
      const outcome = { errorClass, warmMs: failed ? null : latencyMs };
      this.#log.record(arm, person.hash, share, outcome, this.#slowMs, this.#segments?.(person) ?? null);
    }
    const arms = { stable: slots.stable.drain(), candidate: slots.candidate.drain() };
    const classes = { stable: Object.keys(arms.stable.classes), candidate: Object.keys(arms.candidate.classes) };
    const units = this.#log.drain(classes, otherClassOf);
    if (countBins(this.#warm) < SLOW_SAMPLES) this.#warm = mergeBins(this.#warm, arms.stable.warm);
    if (this.#slowMs === null && countBins(this.#warm) >= SLOW_SAMPLES) this.#slowMs = quantileOf(this.#warm, 0.95);
    const block = { candidateBp: share, endMs: epochMs(atS * 1_000), spanMs: 1_000, source: "rehearsal", arms };
    return units === null ? block : { ...block, units };
  }
}

/**
 * Traffic of users, for rehearsals in which failures and slowness follow them. Each stream of chance is a run of its
 * own
 * with users of its own.
 */
export function crowdTraffic(population: Population): Traffic {
  const runs = new WeakMap<RandomStream, Run>();
  return (candidateBp, atS, random) => {
    const run = runs.get(random) ?? new Run(population, random);
    runs.set(random, run);
    return run.second(candidateBp, atS);
  };
}
