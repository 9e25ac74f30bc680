import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GoldItem } from "../../src/core/measure/gold.ts";
import type { CorpusSection } from "../../src/probe/corpus.ts";
import type { GoldSet } from "../../src/probe/gold-set.ts";
import { probeRunner } from "../../src/host/probe-runner.ts";
import { toWire } from "../../src/probe/wire.ts";
import { aPlan } from "../builders.ts";
import { temporaryFolder } from "../cli/run-sluice.ts";
import { sluiceInProcess } from "../cli/sluice-in-process.ts";
import { fakeService, type FakeService, type SeenRequest } from "./fake-service.ts";
import { handbook, probeFakes } from "./world.ts";

let corpus: readonly CorpusSection[];
let gold: GoldSet;
beforeAll(async () => {
  ({ corpus, gold } = await handbook());
});

describe("what a probe measures", () => {
  it("GQ-35: the distance from what was retrieved to the gold section, beside that from the question", async () => {
    const unlike = corpus.map((one) => ({ ...one, text: one.text.split(/\s+/).reverse().slice(0, 12).join(" ") }));
    await probeFakes({ corpus }, { corpus: unlike }, { gold, corpus, tier: "smoke" }, ({ arms }) => {
      const [stable, candidate] = [arms.stable, arms.candidate];
      expect(stable?.deltaS.median).toBeGreaterThan(0);
      expect(stable?.deltaSAnchor?.median).toBeGreaterThanOrEqual(0);
      expect(candidate.deltaSAnchor?.median).toBeGreaterThan((stable?.deltaSAnchor?.median ?? 1) + 0.05);
    });
  });

  it("TE-6: coverage and λ over all three phrasings of each question", async () => {
    const last = new Set(gold.items.map(({ phrasings }) => phrasings[2]));
    const empty = JSON.stringify({ answer: "", refused: true, retrieved: [], citations: [] });
    const instead = (_n: number, question: string) => (last.has(question) ? { raw: empty } : null);
    await probeFakes({ corpus }, { corpus, instead }, { gold, corpus, tier: "smoke" }, ({ arms, questions }) => {
      const [stable, candidate] = [arms.stable, arms.candidate];
      expect(candidate.runs).toBe(questions * 3 * 2);
      const lost = (stable?.coverage.estimate ?? 0) - candidate.coverage.estimate;
      expect(lost).toBeCloseTo((stable?.coverage.estimate ?? 0) / 3, 1);
      expect(candidate.lambda.flipRate).toBeGreaterThan(0.25);
      expect(candidate.lambda.convergentShare).toBeLessThan((stable?.lambda.convergentShare ?? 0) - 0.5);
    });
  });

  it("TE-10: one frozen set for both revisions: the same questions to each, and none once its file has changed", async () => {
    const asked: Record<string, SeenRequest[]> = { stable: [], candidate: [] };
    const arm = (name: string) => ({ corpus, name, log: asked[name] ?? [] });
    await probeFakes(arm("stable"), arm("candidate"), { gold, corpus, tier: "smoke" }, ({ arms, goldDigest }) => {
      expect(goldDigest.length).toBeGreaterThan(10);
      for (const shown of [arms.stable, arms.candidate]) {
        expect(shown?.deltaS.median).toBeGreaterThan(0);
        expect(shown?.lambda.states["→"]).toBeGreaterThan(0);
      }
    });
    const put = (name: string) => asked[name]?.map(({ body }) => `${body.question} ${body.seed} ${body.k}`).sort();
    expect(put("stable")).toEqual(put("candidate"));
    expect(new Set(put("stable")).size).toBe(240);
    const set = { set: "docs/gold/handbook.yaml", goldDigest: "sha256:of-another-day", k: 10, repeats: 2, map: null };
    const plan = aPlan({
      probes: { ...set, corpus: null, embedder: "lexical", concurrency: 4, requestsPerSecond: null },
    });
    const order = { plan, tier: "smoke", extraRepeats: 0 } as const;
    await expect(probeRunner().run(order, new AbortController().signal)).rejects.toThrow(/changed since the rollout/);
  });
});

describe("the gold set of each deploy", () => {
  const text = (items: readonly GoldItem[]) =>
    items
      .map((item) =>
        JSON.stringify({
          ...item,
          claims: [],
          decoy: undefined,
          gold: item.gold.map(({ doc, section }) => ({ doc, section })),
        }),
      )
      .join("\n");
  const setOf = (count: number): readonly GoldItem[] =>
    Array.from({ length: count }, (_, at) => ({ ...(gold.items[at % gold.items.length] as GoldItem), id: `q${at}` }));

  it.each([
    [49, /the set has 49 questions, fewer than the 50 to 200 of a whole set/],
    [50, null],
    [200, null],
    [201, /the set has 201 questions, more than the 50 to 200 of a whole set/],
  ])("GQ-30: has 50 to 200 questions: %i are %s", async (count, said) => {
    const folder = await temporaryFolder();
    const file = join(folder.path, "gold.jsonl");
    await writeFile(file, text(setOf(count)));
    const { stdout, stderr } = await sluiceInProcess("gold", "lint", file);
    const line = `${stdout}${stderr}`.split("\n").find((one) => one.includes("E218")) ?? null;
    expect([line === null, said === null || said.test(line ?? "")]).toEqual([said === null, true]);
    await writeFile(file, text(setOf(1).map((item) => ({ ...item, phrasings: item.phrasings.slice(0, 2) }))));
    const two = await sluiceInProcess("gold", "lint", file);
    expect([two.code, `${two.stdout}${two.stderr}`]).toEqual([2, expect.stringContaining("exactly 3 phrasings")]);
    await folder.remove();
  });

  it("GQ-30: is asked whole, each phrasing twice, and ΔS, coverage and λ of each question are kept for both arms", async () => {
    const asked: Record<string, SeenRequest[]> = { stable: [], candidate: [] };
    const flipping = gold.items.find(({ answerable }) => answerable) as GoldItem;
    const empty = JSON.stringify({ answer: "", refused: true, retrieved: [], citations: [] });
    const instead = (_n: number, question: string) => (question === flipping.phrasings[2] ? { raw: empty } : null);
    const arm = (name: string) => ({ corpus, name, log: asked[name] ?? [] });
    const whole = { ...gold, items: gold.items.slice(0, 50) };
    const options = { gold: whole, corpus, tier: "full" } as const;
    await probeFakes(arm("stable"), { ...arm("candidate"), instead }, options, (report) => {
      const { items = [], arms, questions } = report;
      expect(items.map(({ id }) => id)).toEqual(whole.items.map(({ id }) => id));
      for (const name of ["stable", "candidate"] as const) {
        const put = new Set(asked[name]?.map(({ body }) => `${body.question} ${body.seed}`));
        expect([questions, put.size, arms[name]?.runs]).toEqual([50, 300, 300]);
        const measured = items.flatMap((item) => item[name]?.coverage ?? []);
        const mean = measured.reduce((sum, coverage) => sum + coverage, 0) / measured.length;
        expect(mean).toBeCloseTo(arms[name]?.coverage.estimate ?? Number.NaN, 9);
        const distances = items.flatMap((item) => item[name]?.deltaS ?? []).sort((a, b) => a - b);
        expect(distances.length).toBe(arms[name]?.measuredQuestions);
        const middle = (at: number) => distances[Math.floor(at)] ?? Number.NaN;
        const half = (distances.length - 1) / 2;
        expect((middle(half) + middle(half + 0.5)) / 2).toBeCloseTo(arms[name]?.deltaS.median ?? Number.NaN, 9);
      }
      const { stable, candidate } = items.find(({ id }) => id === flipping.id) ?? {};
      expect(candidate?.coverage).toBeCloseTo(((stable?.coverage ?? 0) * 2) / 3, 9);
      expect([stable?.flips, candidate?.flips, candidate?.lambda]).toEqual([0, 1, "←"]);
      const wire = toWire(report, "fail").items.find(({ id }) => id === flipping.id);
      expect(wire?.candidate).toEqual({
        delta_s: candidate?.deltaS,
        coverage: candidate?.coverage,
        lambda_state: "←",
        flips: 1,
      });
    });
  });
});

const HANDBOOK = ["--gold", "docs/gold/handbook.yaml", "--corpus", "docs/handbook"];

describe("sluice probe with a gold file and two limits", () => {
  let service: FakeService;
  beforeAll(async () => {
    service = await fakeService({ corpus });
  });
  afterAll(() => service.close());

  const probe = (...flags: string[]) =>
    sluiceInProcess(...`probe --json --target ${service.url} --tier smoke`.split(" "), ...HANDBOOK, ...flags);

  it.each([
    ["both met", ["--min-cov", "0.70", "--max-ds", "0.9"], true],
    ["coverage not met", ["--min-cov", "0.999", "--max-ds", "0.9"], false],
    ["ΔS not met", ["--min-cov", "0.70", "--max-ds", "0.01"], false],
  ] as const)("GQ-38: %s with %j: exit 0 is %s", async (_, flags, isMet) => {
    const { code, stdout, stderr } = await probe(...flags);
    expect([stderr, code === 0], stdout.slice(0, 300)).toEqual([expect.any(String), isMet]);
  });
});
