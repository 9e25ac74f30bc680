import { deltaS } from "../core/judge/probes/delta-s.ts";
import type { ProbePlan } from "../core/stage/plan.ts";
import { loadCorpus } from "../probe/corpus-file.ts";
import { redactSecrets } from "../drivers/access/http/index.ts";
import type { ProbeRunner } from "../ports/probe-runner.ts";
import type { CorpusSection } from "../probe/corpus.ts";
import { runProbes } from "../probe/probe.ts";
import { smokeProbe } from "../probe/smoke.ts";
import { embedderNamed } from "./embedder.ts";
import { ProbeStores } from "./probe-stores.ts";
import { asDriverError, openProbes } from "./probe-targets.ts";
import { systemClock } from "./system-clock.ts";

const TIMEOUT_MS = 30_000;

/** Longest wait for one answer of a smoke test: whoever applies waits for it. */
const SMOKE_TIMEOUT_MS = 15_000;
const SEED = 1;

/** Probes as the controller orders them: files from disk, targets over HTTP, answers reused within one generation. */
export function probeRunner(): ProbeRunner {
  const clock = systemClock();
  const stores = new ProbeStores();
  return {
    async run(order, signal) {
      const { plan, tier } = order;
      const { probes, gold, stable, candidate } = await openProbes(plan);
      return runProbes({
        stable,
        candidate,
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
        seed: SEED,
        store: stores.of(plan.rolloutId, plan.generation),
      });
    },
    async smoke(plan, signal) {
      if (plan.probes === null) return null;
      const { probes, gold, stable, candidate } = await openProbes(plan);
      const problem = await smokeProbe({
        targets: { stable, candidate },
        gold: gold.items,
        needsText: plan.gates.some(({ gate }) => gate === deltaS.name),
        k: probes.k,
        seed: SEED,
        requestsPerSecond: probes.requestsPerSecond,
        concurrency: probes.concurrency,
        timeoutMs: SMOKE_TIMEOUT_MS,
        clock,
        fetch,
        store: null,
        signal,
      });
      return problem === null ? null : { ...problem, reason: redactSecrets(problem.reason) };
    },
  };
}

async function corpusOf({ corpus }: ProbePlan): Promise<readonly CorpusSection[] | null> {
  return corpus === null ? null : asDriverError(() => loadCorpus(corpus));
}
