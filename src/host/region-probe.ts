import type { RegionProbe, RegionQuestions } from "../ports/region-probe.ts";
import type { GoldItem } from "../core/measure/gold.ts";
import type { Clock } from "../ports/clock.ts";
import { runProbes } from "../probe/probe.ts";
import { askTarget, type ProbeTarget } from "../probe/target.ts";
import { embedderNamed } from "./embedder.ts";
import { asDriverError } from "./probe-targets.ts";
import { readGold } from "./read-gold.ts";
import { systemClock } from "./system-clock.ts";

const TIMEOUT_MS = 30_000;
const SEED = 1;
const REPEATS = 2;
const CONCURRENCY = 8;

const targetAt = (url: string): ProbeTarget => ({ url, pins: null, map: null });

/** Gold questions from a file, asked of regions over HTTP in the default shape. */
export function regionProbe(): RegionProbe {
  const clock = systemClock();
  return {
    async run({ set, k, of, against }: RegionQuestions, signal) {
      return runProbes({
        stable: targetAt(against),
        candidate: targetAt(of),
        gold: await asDriverError(() => readGold(set)),
        tier: "full",
        k,
        repeats: REPEATS,
        embedder: embedderNamed("lexical"),
        corpus: null,
        clock,
        fetch,
        signal,
        requestsPerSecond: null,
        concurrency: CONCURRENCY,
        timeoutMs: TIMEOUT_MS,
        seed: SEED,
      });
    },
    async compare({ set, k, of, against, count }, signal) {
      const { items } = await asDriverError(() => readGold(set));
      const unequal = [];
      const asked = items.slice(0, count);
      for (const item of asked) {
        const [left, right] = await Promise.all(
          [of, against].map((url) => signatureOf(url, item, { k, signal, clock })),
        );
        if (left !== right) unequal.push({ question: item.id, of: left ?? "", against: right ?? "" });
      }
      return { asked: asked.length, unequal };
    },
  };
}

/** Cited sections and outcome of one answer: what two regions have to have alike. @source definitions.md §5, §8 */
async function signatureOf(
  url: string,
  item: GoldItem,
  { k, signal, clock }: { readonly k: number; readonly signal: AbortSignal; readonly clock: Clock },
): Promise<string> {
  const question = { question: item.phrasings[0] ?? item.id, k, seed: SEED };
  const result = await askTarget(targetAt(url), question, { fetch, clock, timeoutMs: TIMEOUT_MS, signal });
  if (result.kind !== "answer") return `error ${"detail" in result ? result.detail : result.errorClass}`;
  const { refused, citations } = result.answer;
  const cited = [...new Set(citations.map(({ doc, section }) => `${doc}#${section}`))].toSorted();
  return refused ? "refused" : `cites ${cited.join(", ") || "nothing"}`;
}
