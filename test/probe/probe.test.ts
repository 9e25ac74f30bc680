import { beforeAll, describe, expect, it } from "vitest";
import { judgeProbes } from "../../src/core/judge/engine.ts";
import type { ProbeReport } from "../../src/core/measure/report.ts";
import { bp } from "../../src/core/unit.ts";
import { PRESETS } from "../../src/spec/preset/index.ts";
import type { CorpusSection } from "../../src/probe/corpus.ts";
import type { GoldSet } from "../../src/probe/gold-set.ts";
import { lexicalJudge } from "../../src/probe/lexical-embedder.ts";
import { lockOf } from "../../src/probe/lock.ts";
import { runProbes } from "../../src/probe/probe.ts";
import { memoryRunStore } from "../../src/probe/run-store.ts";
import { reportDigest, toWire } from "../../src/probe/wire.ts";
import { fakeService, type SeenRequest } from "./fake-service.ts";
import { handbook, probeFakes, probeOptions, target } from "./world.ts";

let corpus: readonly CorpusSection[];
let gold: GoldSet;
beforeAll(async () => {
  ({ corpus, gold } = await handbook());
});

/** Gates that fail, by the default preset before the first user. */
function failing(report: ProbeReport): readonly string[] {
  const settings = Object.entries(PRESETS["default"]?.gates ?? {}).map(([gate, options]) => ({
    gate,
    options,
    source: "test",
  }));
  const stage = { kind: "probes", candidateBp: bp(0), heldMs: 0, holdMs: 0 } as const;
  return judgeProbes(report, stage, settings as Parameters<typeof judgeProbes>[2])
    .filter(({ kind }) => kind === "fail")
    .map(({ gate }) => gate);
}

/** Every section is served under the name of another: a cyclic shift, the same on every run. */
function shuffle(sections: readonly CorpusSection[]): (section: string) => string {
  const names = sections.map(({ section }) => section);
  return (section) => names[(names.indexOf(section) + 17) % names.length] as string;
}

describe("probes of two arms over HTTP", () => {
  it("finds two equal arms equal: no drift, no lost coverage, self-test fired, nothing fails", async () => {
    await probeFakes({ corpus }, { corpus }, { gold, corpus }, (report) => {
      expect(report.arms.stable).toEqual(report.arms.candidate);
      expect(report.arms.candidate.runs).toBe(gold.items.length * 6);
      expect(report.arms.candidate.coverage.estimate).toBeGreaterThan(0.7);
      expect(report.paired?.coverage).toEqual({ estimate: 0, ci: [0, 0] });
      expect(report.paired?.deltaS.p95).toBe(0);
      expect([report.selfTest, report.calibration.usable, report.discordant]).toEqual(["fired", true, []]);
      expect(failing(report)).toEqual([]);
    });
  });

  it("shuffled section ids leave ΔS as it is and bring coverage down: ΔS alone never passes a release", async () => {
    await probeFakes({ corpus }, { corpus, rename: shuffle(corpus) }, { gold, corpus }, (report) => {
      const { stable, candidate } = report.arms;
      expect(candidate.deltaS.median).toBeCloseTo(stable?.deltaS.median ?? -1, 9);
      expect(report.paired?.deltaS.p95).toBeCloseTo(0, 9);
      expect(stable?.coverage.estimate).toBeGreaterThan(0.7);
      expect(candidate.coverage.estimate).toBeLessThan(0.1);
      expect(candidate.citationHit).toBeLessThan(0.1);
      expect(report.discordant.length).toBeGreaterThan(50);
      expect(failing(report)).toContain("coverage");
    });
  });

  it("smaller chunks make ΔS better and coverage worse, and the gold section is still a hit", async () => {
    await probeFakes({ corpus }, { corpus, chunkWords: 8 }, { gold, corpus }, (report) => {
      const { stable, candidate } = report.arms;
      expect(candidate.deltaS.median).toBeLessThan((stable?.deltaS.median ?? 0) - 0.03);
      expect(report.paired?.coverage.ci[1]).toBeLessThan(-0.05);
      expect(candidate.hitAtK).toBeGreaterThan(0.8);
      expect(failing(report)).toContain("coverage");
    });
  });

  it("sees the same without a corpus, from what the answers show", async () => {
    await probeFakes({ corpus }, { corpus, rename: shuffle(corpus) }, { gold, repeats: 1 }, (report) => {
      expect(report.calibration.usable).toBe(true);
      expect(report.arms.candidate.coverage.level).toBe("L1");
      expect(report.arms.stable?.coverage.estimate).toBeGreaterThan(0.7);
      expect(report.arms.candidate.coverage.estimate).toBeLessThan(0.1);
      expect(report.selfTest).toBe("fired");
    });
  });

  it("refuses to calibrate when stable shows under 60 % of the gold sections; coverage still decides", async () => {
    const few = corpus.filter((_, index) => index % 3 === 0);
    await probeFakes({ corpus: few }, { corpus: few }, { gold }, (report) => {
      expect(report.calibration.usable).toBe(false);
      expect(report.calibration.reason).toMatch(/show \d+ % of the gold sections, at least 60 %/);
      expect(report.arms.candidate.deltaS.scale).toBe("raw");
      expect(report.arms.candidate.coverage.estimate).toBeLessThan(0.5);
      expect(report.selfTest).toBe("fired");
    });
  });

  it.each([
    ["with the corpus", true],
    ["from what the answers show", false],
  ])("measures both arms by text (L2) when one of them tells no offsets: %s", async (_, isGiven) => {
    const over = { gold, tier: "smoke", repeats: 1, ...(isGiven ? { corpus } : {}) } as const;
    await probeFakes({ corpus }, { corpus, withOffsets: false }, over, (report) => {
      const { stable, candidate } = report.arms;
      expect([stable?.coverage.level, candidate.coverage.level]).toEqual(["L2", "L2"]);
      expect(candidate.coverage).toEqual(stable?.coverage);
      expect(candidate.coverage.estimate).toBeGreaterThan(0.7);
      expect(candidate.lambda.states.unknown).toBe(40);
      expect([report.selfTest, failing(report)]).toEqual(["fired", []]);
    });
  });

  it("finds the same coverage by text as by offsets, within 0.02", async () => {
    const found: number[] = [];
    for (const withOffsets of [true, false]) {
      await probeFakes(null, { corpus, chunkWords: 30, withOffsets }, { gold, corpus, repeats: 1 }, (report) => {
        expect(report.arms.candidate.coverage.level).toBe(withOffsets ? "L1" : "L2");
        found.push(report.arms.candidate.coverage.estimate);
      });
    }
    expect(Math.abs((found[0] ?? 0) - (found[1] ?? 1))).toBeLessThanOrEqual(0.02);
  });

  it("sees by text that chunks got smaller and that section ids were shuffled, without any offset", async () => {
    const stable = { corpus, withOffsets: false };
    await probeFakes(stable, { ...stable, chunkWords: 8 }, { gold, repeats: 1 }, (report) => {
      expect(report.arms.candidate.recallAtK).toBeGreaterThan(0.8);
      expect(failing(report)).toContain("coverage");
    });
    await probeFakes(stable, { ...stable, rename: shuffle(corpus) }, { gold, corpus, repeats: 1 }, (report) => {
      expect(report.arms.candidate.coverage.level).toBe("L2");
      expect(report.arms.candidate.coverage.estimate).toBeLessThan(0.1);
    });
  });

  it("asks one target alone: nothing is paired", async () => {
    await probeFakes(null, { corpus }, { gold, corpus, tier: "smoke" }, (report) => {
      expect([report.arms.stable, report.paired, report.discordant]).toEqual([null, null, []]);
      expect(report.arms.candidate.coverage.estimate).toBeGreaterThan(0.7);
      expect(report.detectableDrop["coverage"]).toBeGreaterThan(0);
      expect(report.selfTest).toBe("fired");
    });
  });

  it("counts failed and contract-breaking runs apart, and averages the others", async () => {
    const instead = (n: number) => {
      if (n % 20 === 0) return { status: 503 };
      if (n % 20 === 1)
        return { raw: JSON.stringify({ answer: "x", refused: false, retrieved: [], citations: ["a"] }) };
      if (n % 20 === 2) return { raw: "<html>" };
      return n % 20 === 3 ? ("cut" as const) : null;
    };
    await probeFakes({ corpus }, { corpus, instead }, { gold, corpus, concurrency: 1 }, (report) => {
      const { candidate, stable } = report.arms;
      const each = Math.ceil(candidate.runs / 20);
      const about = [each - 1, each];
      expect(about).toContain(candidate.schemaViolations);
      expect(about).toContain(candidate.errorClasses["headers|5xx|503"]);
      expect(about).toContain(candidate.errorClasses["body|other|not-json"]);
      expect(candidate.errors).toBe(Object.values(candidate.errorClasses).reduce((sum, count) => sum + count, 0));
      expect(candidate.errors).toBeGreaterThanOrEqual(3 * (each - 1));
      expect(report.paired?.errorsOnly).toEqual({ stable: 0, candidate: candidate.errors });
      expect(candidate.coverage.estimate).toBeCloseTo(stable?.coverage.estimate ?? -1, 1);
      expect(() => reportDigest(report)).not.toThrow();
    });
  });

  it("is never NaN when an arm answers nothing at all: nothing known is the whole range", async () => {
    await probeFakes(
      { corpus },
      { corpus, instead: () => ({ status: 500 }) },
      { gold, corpus, repeats: 1 },
      (report) => {
        const { candidate } = report.arms;
        expect([candidate.errors, candidate.measuredQuestions]).toEqual([candidate.runs, 0]);
        expect(candidate.coverage).toMatchObject({ estimate: 0, ci: [0, 1], byTopic: {} });
        expect(candidate.deltaS.median).toBe(1);
        expect(() => toWire(report, "error")).not.toThrow();
      },
    );
  });

  it("GQ-31: smoke asks 40 questions, 240 runs an arm", async () => {
    await probeFakes(null, { corpus }, { gold, corpus, tier: "smoke" }, (first) => {
      expect(first.questions).toBe(40);
      expect(first.arms.candidate.runs).toBe(240);
      expect(first.tier).toBe("smoke");
    });
  });
});

describe("a probe", () => {
  it("repeats itself to the byte: equal answers give an equal digest", async () => {
    const digests: string[] = [];
    for (const concurrency of [1, 7]) {
      await probeFakes(
        { corpus },
        { corpus, chunkWords: 30 },
        { gold, corpus, tier: "smoke", concurrency },
        (report) => {
          digests.push(reportDigest(report));
        },
      );
    }
    expect(new Set(digests).size).toBe(1);
  });

  it("prints the JSON of the contract, with its own digest", async () => {
    await probeFakes({ corpus }, { corpus }, { gold, corpus, tier: "smoke" }, (report) => {
      const wire = JSON.parse(JSON.stringify(toWire(report, "pass")));
      expect(wire).toMatchObject({ verdict: "pass", self_test: "fired", calibration: { auc: report.calibration.auc } });
      expect(Object.keys(wire.metrics)).toEqual(["stable", "candidate"]);
      const keys = [
        "delta_s",
        "delta_s_anchor",
        "coverage",
        "lambda",
        "citation_hit",
        "hit_at_k",
        "mrr",
        "ndcg_at_k",
        "errors",
      ];
      expect(Object.keys(wire.metrics.candidate)).toEqual(expect.arrayContaining(keys));
      expect(Object.keys(wire.metrics.candidate.delta_s)).toEqual(
        expect.arrayContaining(["median", "p95", "share_risk", "scale", "embedder"]),
      );
      expect(wire.metrics.candidate.coverage).toMatchObject({
        level: "L1",
        mean: report.arms.candidate.coverage.estimate,
      });
      expect(wire.metrics.candidate.lambda.states["→"]).toBe(report.arms.candidate.lambda.states["→"]);
      expect(wire.paired.coverage_diff).toEqual({ estimate: 0, ci: [0, 0] });
      expect(wire.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    });
  });

  it("sends what the contract says, with seeds by repetition and caches bypassed", async () => {
    const log: SeenRequest[] = [];
    await probeFakes(
      { corpus, log, name: "s" },
      { corpus, log, name: "c" },
      { gold, corpus, tier: "smoke", concurrency: 1 },
      () => {
        expect(log.every(({ body }) => body.probe && body.k === 10)).toBe(true);
        expect(new Set(log.map(({ body }) => body.seed))).toEqual(new Set([7, 8]));
        expect(new Set(log.map(({ headers }) => `${headers["cache-control"]} ${headers["x-bypass-cache"]}`))).toEqual(
          new Set(["no-cache 1"]),
        );
        expect(
          log
            .slice(0, 8)
            .map(({ arm }) => arm)
            .join(""),
        ).toBe("sccssccs");
        for (let i = 0; i < log.length; i += 2) expect(log[i]?.body).toEqual(log[i + 1]?.body);
      },
    );
  });

  it("uses a lock while gold set and embedder are the same, and calibrates afresh when they changed", async () => {
    const service = await fakeService({ corpus });
    try {
      const ask = (over: object) => {
        return runProbes(
          probeOptions({ gold, corpus, tier: "smoke", candidate: target(service.url), stable: null, ...over }),
        );
      };
      const first = await ask({});
      const lock = lockOf(first);
      expect(lock).not.toBeNull();
      if (lock === null) return;
      const kept = await ask({ lock: { ...lock, mGold: lock.mGold - 0.1 } });
      expect(kept.calibration.mGold).toBeCloseTo(first.calibration.mGold - 0.1, 12);
      const other = await ask({ lock: { ...lock, mGold: 0, goldDigest: "sha256:other" } });
      expect(other.calibration).toEqual(first.calibration);
      const refitted = await ask({
        lock: { ...lock, mGold: 0 },
        embedder: (texts: readonly string[]) => lexicalJudge([...texts, "more"]),
      });
      expect(refitted.calibration.mGold).toBeGreaterThan(0);
    } finally {
      await service.close();
    }
  });

  it("goes on where an abort stopped it, asking each question once, and reuses nothing of unknown or changed pins", async () => {
    const service = await fakeService({ corpus, delayMs: 2 });
    try {
      const store = memoryRunStore();
      const stop = new AbortController();
      const options = (pins: string | null, signal = new AbortController().signal) => {
        const candidate = target(service.url, { pins });
        return probeOptions({ gold, corpus, tier: "smoke", candidate, stable: null, store, signal });
      };
      const stopping = {
        ...options("a", stop.signal),
        onProgress: ({ done }: { done: number }) => done === 50 && stop.abort(new Error("enough")),
      };
      await expect(runProbes(stopping as Parameters<typeof runProbes>[0])).rejects.toThrow("enough");
      const before = service.requests();
      expect(before).toBeLessThan(240);
      const report = await runProbes(options("a"));
      expect(report.arms.candidate.runs).toBe(240);
      expect(service.requests()).toBeLessThanOrEqual(240 + 8); // At most the aborted ones are asked twice.
      const after = service.requests();
      expect(await runProbes(options("a"))).toEqual(report);
      expect(service.requests()).toBe(after);
      await runProbes(options("b"));
      expect(service.requests()).toBe(after + 240);
      await runProbes(options(null));
      expect(service.requests()).toBe(after + 480);
    } finally {
      await service.close();
    }
  });

  it("does not let the self-test fire when decoys answer the questions: such a set cannot see a wrong answer", async () => {
    const items = gold.items.map((item) => ({ ...item, decoy: item.gold[0] ?? null }));
    await probeFakes(null, { corpus }, { gold: { ...gold, items }, corpus, tier: "smoke", repeats: 1 }, (report) => {
      expect(report.selfTest).toBe("did not fire");
      expect(report.calibration.usable).toBe(false);
    });
  });

  it("has neither decoy nor scale in a set of one section, and says so", async () => {
    const items = gold.items.slice(0, 1);
    await probeFakes(null, { corpus }, { gold: { ...gold, items }, corpus }, (report) => {
      expect([report.selfTest, report.calibration.usable]).toEqual(["did not fire", false]);
      expect(report.calibration.reason).toContain("decoy");
      expect(report.arms.candidate.coverage.ci).toEqual([0, 1]);
    });
  });

  it("leaves invalid items out and names them: another revision, a section that is gone", async () => {
    const [first, second, ...rest] = gold.items.filter(({ answerable }) => answerable);
    const items = [
      { ...first, gold: first?.gold.map((span) => ({ ...span, rev: "sha256:0000" })) },
      { ...second, gold: second?.gold.map((span) => ({ ...span, section: "gone" })) },
      ...rest,
    ] as GoldSet["items"];
    await probeFakes(null, { corpus }, { gold: { ...gold, items }, corpus, repeats: 1 }, (report) => {
      expect(report.invalidItems).toEqual([first?.id, second?.id].sort());
      expect(report.questions).toBe(rest.length);
    });
  });
});
