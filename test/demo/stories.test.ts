import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Scenario, SCENARIOS } from "../../src/cli/demo/scenario.ts";
import { HANDBOOK, HANDBOOK_GOLD } from "../../src/cli/handbook.ts";
import { readGateLabel } from "../../src/core/judge/setting.ts";
import { judgeIdentity, judgeProbes } from "../../src/core/judge/engine.ts";
import type { ObservedManifest } from "../../src/core/release/manifest.ts";
import { rehearse } from "../../src/core/rehearsal/rehearse.ts";
import { type ArmModel, steadyArm } from "../../src/core/rehearsal/world.ts";
import { randomStream } from "../../src/core/stats/random.ts";
import { bp } from "../../src/core/unit.ts";
import type { Verdict } from "../../src/core/verdict.ts";
import { httpHealth } from "../../src/drivers/health/http/index.ts";
import { loadCorpus } from "../../src/probe/corpus-file.ts";
import { type LabService, serveLab } from "../../src/lab/serve.ts";
import { systemClock } from "../../src/host/system-clock.ts";
import type { CorpusSection } from "../../src/probe/corpus.ts";
import { type GoldSet, readGoldSet } from "../../src/probe/gold-set.ts";
import { lexicalJudge } from "../../src/probe/lexical-embedder.ts";
import { runProbes } from "../../src/probe/probe.ts";
import { aPlan, aPreset, gatesOf } from "../builders.ts";

/** The demo's stories with real retrieval and real probes, but with users, holds and rollbacks in virtual time. */
const PRESET = aPreset("demo");
const GATES = gatesOf(PRESET);
const AT_START = { kind: "probes", candidateBp: bp(0), heldMs: 0, holdMs: 0 } as const;
const LATENCY = { medianMs: 60, sigma: 0.4 };
const clean = steadyArm({}, LATENCY);

/** What users meet under each fault that users can feel. */
const USERS: Readonly<Record<string, ArmModel>> = {
  slow: steadyArm({}, { ...LATENCY, medianMs: 96 }),
  "cold-start": { ...clean, cold: () => ({ share: 0.15, factor: 4 }) },
  errors: steadyArm({ "headers|5xx|503": 0.05 }, LATENCY),
  "new-error-class": steadyArm({ "body|network|ECONNRESET": 0.01 }, LATENCY),
};

let corpus: readonly CorpusSection[];
let gold: GoldSet;
let stable: LabService;

beforeAll(async () => {
  corpus = await loadCorpus(HANDBOOK);
  const read = readGoldSet(readFileSync(HANDBOOK_GOLD, "utf8"));
  if (!("items" in read)) throw new Error(JSON.stringify(read));
  gold = read;
  stable = await serveLab({ corpus: HANDBOOK, index: "stable", release: "r1", modelMs: 0.01 });
});
afterAll(() => stable.close());

async function ask(
  candidate: LabService,
  seed: number,
): Promise<{ probes: readonly Verdict[]; parity: readonly Verdict[] }> {
  const target = ({ url }: LabService) => ({ url, pins: null, map: null });
  const signal = AbortSignal.timeout(60_000);
  const report = await runProbes({
    stable: target(stable),
    candidate: target(candidate),
    gold,
    tier: "full",
    k: 10,
    repeats: 2,
    embedder: lexicalJudge,
    corpus,
    clock: systemClock(),
    fetch,
    signal,
    requestsPerSecond: null,
    concurrency: 16,
    timeoutMs: 30_000,
    seed,
  });
  const read = (service: LabService): Promise<ObservedManifest> =>
    httpHealth(systemClock()).read(service.health, signal);
  const observed = { stable: await read(stable), candidate: await read(candidate) };
  return { probes: judgeProbes(report, AT_START, GATES), parity: judgeIdentity(null, observed, [], GATES) };
}

async function tell(scenario: Scenario, seed: number) {
  const candidate = await serveLab({
    corpus: HANDBOOK,
    index: "candidate",
    release: "r2",
    modelMs: 0.01,
    seed,
    faults: scenario.faults,
  });
  try {
    const { probes, parity } = await ask(candidate, seed);
    const preset = PRESET.stages;
    const [probeStage, firstShare, ...rest] = preset;
    const usersFirst = [firstShare, probeStage, ...rest] as typeof preset;
    const plan = aPlan({ stages: scenario.order === "users-first" ? usersFirst : preset, gates: GATES });
    const users = { requestsPerSecond: 200, arms: { stable: clean, candidate: USERS[scenario.name] ?? clean } };
    return rehearse(plan, users, randomStream(seed), 120, { parity, probes: () => probes });
  } finally {
    await candidate.close();
  }
}

describe("the demo's stories in virtual time", () => {
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    "%s ends as it should",
    async (_, scenario) => {
      const { rollout, candidateRequests } = await tell(scenario, 7);
      const { outcome, gates, isUnseen } = scenario.expected;
      expect(rollout.phase).toBe(outcome);
      if (gates.length > 0) expect(gates).toContain(readGateLabel(rollout.cause?.gate ?? "none").gate);
      expect(candidateRequests === 0).toBe(isUnseen);
    },
  );

  it("promotes a healthy candidate in two of two further seeds", async () => {
    const healthy = SCENARIOS.find(({ name }) => name === "healthy") as Scenario;
    for (const seed of [1, 2]) expect([seed, (await tell(healthy, seed)).rollout.phase]).toEqual([seed, "promoted"]);
  }, 60_000);

  it("stops dropped sections by coverage and unstable answers by λ in each further seed", async () => {
    for (const name of ["dropped-sections", "unstable-answers"]) {
      const scenario = SCENARIOS.find((one) => one.name === name) as Scenario;
      for (const seed of [1]) {
        const { rollout } = await tell(scenario, seed);
        expect([name, seed, rollout.phase, readGateLabel(rollout.cause?.gate ?? "none").gate]).toEqual([
          name,
          seed,
          "rolled-back",
          scenario.expected.gates[0],
        ]);
      }
    }
  }, 60_000);
});
