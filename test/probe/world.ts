import { readFileSync } from "node:fs";
import { systemClock as hostClock } from "../../src/host/system-clock.ts";
import type { ProbeReport } from "../../src/core/measure/report.ts";
import { loadCorpus } from "../../src/probe/corpus-file.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { CorpusSection } from "../../src/probe/corpus.ts";
import { type GoldSet, readGoldSet } from "../../src/probe/gold-set.ts";
import { lexicalJudge } from "../../src/probe/lexical-embedder.ts";
import { type ProbeOptions, runProbes } from "../../src/probe/probe.ts";
import type { ProbeTarget } from "../../src/probe/target.ts";
import { type FakeOptions, type FakeService, fakeService } from "./fake-service.ts";

/** The clock of this process. */
export const systemClock: Clock = hostClock();

export function goldOf(text: string): GoldSet {
  const read = readGoldSet(text);
  if ("items" in read) return read;
  throw new Error(`not a gold set: ${JSON.stringify(read)}`);
}

/** The handbook and its gold set: real prose, questions with three phrasings. */
export async function handbook(): Promise<{ corpus: readonly CorpusSection[]; gold: GoldSet }> {
  return { corpus: await loadCorpus("docs/handbook"), gold: goldOf(readFileSync("docs/gold/handbook.yaml", "utf8")) };
}

export const target = (url: string, over: Partial<ProbeTarget> = {}): ProbeTarget => ({
  url,
  pins: null,
  map: null,
  ...over,
});

type Asked = Omit<Partial<ProbeOptions>, "stable" | "candidate"> & Pick<ProbeOptions, "gold">;

export function probeOptions(over: Asked & Pick<ProbeOptions, "candidate" | "stable">): ProbeOptions {
  return {
    tier: "full",
    k: 10,
    repeats: 2,
    embedder: lexicalJudge,
    clock: systemClock,
    fetch,
    signal: new AbortController().signal,
    requestsPerSecond: null,
    concurrency: 8,
    timeoutMs: 5_000,
    seed: 7,
    ...over,
  };
}

/** Probes two fake services; a null stable is not started and not asked. */
export async function probeFakes(
  stable: FakeOptions | null,
  candidate: FakeOptions,
  over: Asked,
  use: (report: ProbeReport, services: { stable: FakeService | null; candidate: FakeService }) => void,
): Promise<void> {
  const services = {
    stable: stable === null ? null : await fakeService(stable),
    candidate: await fakeService(candidate),
  };
  try {
    const targets = {
      stable: services.stable === null ? null : target(services.stable.url),
      candidate: target(services.candidate.url),
    };
    use(await runProbes(probeOptions({ ...over, ...targets })), services);
  } finally {
    await services.stable?.close();
    await services.candidate.close();
  }
}
