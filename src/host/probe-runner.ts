import { createHash } from "node:crypto";
import type { ProbePlan, RolloutPlan } from "../core/stage/plan.ts";
import { loadCorpus } from "../probe/corpus-file.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { ProbeRunner } from "../ports/probe-runner.ts";
import type { CorpusSection } from "../probe/corpus.ts";
import { InputError } from "../probe/input-error.ts";
import { runProbes } from "../probe/probe.ts";
import type { ProbeTarget } from "../probe/target.ts";
import { embedderNamed } from "./embedder.ts";
import { ProbeStores } from "./probe-stores.ts";
import { readGold } from "./read-gold.ts";
import { readMap } from "./read-map.ts";
import { systemClock } from "./system-clock.ts";

const TIMEOUT_MS = 30_000;

/** Probes as the controller orders them: files from disk, targets over HTTP, answers reused within one generation. */
export function probeRunner(): ProbeRunner {
  const clock = systemClock();
  const stores = new ProbeStores();
  return {
    async run(order, signal) {
      const { plan, tier } = order;
      const { probes } = plan;
      if (probes === null)
        throw new DriverError("unsupported", "never", `rollout ${plan.rolloutId} has no probes; add spec.probes`);
      const generation = `${plan.rolloutId}/${plan.generation}`;
      const gold = await asDriverError(() => readGold(probes.set));
      if (gold.textDigest !== probes.goldDigest) {
        const advice = "restore it, or apply the document again for a new generation";
        throw new DriverError(
          "rejected",
          "never",
          `the gold set ${probes.set} changed since the rollout began; ${advice}`,
        );
      }
      const map = probes.map === null ? null : await asDriverError(() => readMap(probes.map as string));
      const target = (arm: "stable" | "candidate"): ProbeTarget => ({
        url: answerUrl(plan, arm),
        pins: pinsOf(generation, arm),
        map,
      });
      return runProbes({
        stable: target("stable"),
        candidate: target("candidate"),
        gold,
        tier,
        k: probes.k,
        repeats: probes.repeats + order.extraRepeats,
        embedder: embedderNamed(probes.embedder),
        corpus: await corpusOf(probes),
        clock,
        fetch,
        signal,
        requestsPerSecond: probes.requestsPerSecond,
        concurrency: probes.concurrency,
        timeoutMs: TIMEOUT_MS,
        seed: 1,
        store: stores.of(plan.rolloutId, plan.generation),
      });
    },
  };
}

function answerUrl(plan: RolloutPlan, arm: "stable" | "candidate"): string {
  const url = plan.arms[arm].answerUrl;
  if (url === null) throw new DriverError("unsupported", "never", `${arm} has no answer address to probe`);
  return url;
}

function pinsOf(generation: string, arm: string): string {
  return createHash("sha256").update(`${generation}/${arm}`).digest("hex");
}

async function corpusOf({ corpus }: ProbePlan): Promise<readonly CorpusSection[] | null> {
  return corpus === null ? null : asDriverError(() => loadCorpus(corpus));
}

/** Files that cannot be read are a failed conversation for the controller, not the end of its process. */
async function asDriverError<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof InputError) throw new DriverError("rejected", "never", error.message, error);
    throw error;
  }
}
