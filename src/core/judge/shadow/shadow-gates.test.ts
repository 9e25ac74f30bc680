import { describe, expect, it } from "vitest";
import { aGate, after } from "../../../../test/builders.ts";
import { BP_NONE } from "../../unit.ts";
import { randomStream } from "../../stats/random.ts";
import { EMPTY_SHADOW, NO_PAIRS, type PairCounts, type ShadowWindow } from "../../window/shadow-window.ts";
import { binOf } from "../../window/sketch.ts";
import { EMPTY_ARM_WINDOW } from "../../window/window.ts";
import type { Block, StageView } from "../block.ts";
import { foldEvidence, isHarmProven, judgeTraffic, startEvidence } from "../engine.ts";
import { shadowErrors } from "./shadow-errors.ts";
import { shadowP95 } from "./shadow-p95.ts";

const GATES = [
  aGate("shadow-errors", { ...shadowErrors.defaults }),
  aGate("error-rate", {
    mode: "sequential",
    alpha: 0.001,
    beta: 0.05,
    minSamples: 100,
    margin: { under10: 0.02, under50: 0.01, from50: 0.005 },
  }),
];
const SHADOW: StageView = { kind: "shadow", candidateBp: BP_NONE, heldMs: 60_000, holdMs: 0 };

const block = (shadow: Partial<ShadowWindow>, second = 1): Block => ({
  candidateBp: BP_NONE,
  arms: { stable: EMPTY_ARM_WINDOW, candidate: EMPTY_ARM_WINDOW },
  endMs: after(second * 1_000),
  spanMs: 1_000,
  source: "gw-1",
  shadow: { ...EMPTY_SHADOW, ...shadow },
});

/** Verdicts of a shadow stage after pairs; by default each failure is another user's. */
function judged(pairs: Partial<PairCounts>, first: Partial<ShadowWindow["first"]> = pairs) {
  const { stableFailed = 0, candidateFailed = 0 } = first;
  const one = block({ pairs: { ...NO_PAIRS, ...pairs }, first: { stableFailed, candidateFailed } });
  const evidence = foldEvidence(startEvidence(GATES), one, GATES);
  return { verdicts: judgeTraffic(evidence, SHADOW, GATES), isHarm: isHarmProven(evidence, SHADOW, GATES), evidence };
}

describe("shadow-errors", () => {
  it("is the only one of the gates over traffic that speaks in a shadow stage, and speaks in no other", () => {
    const { verdicts, evidence } = judged({ bothOk: 500 });
    expect(verdicts.map(({ gate }) => gate)).toEqual(["shadow-errors"]);
    const stage: StageView = { ...SHADOW, kind: "traffic" };
    expect(judgeTraffic(evidence, stage, GATES).map(({ gate }) => gate)).toEqual(["error-rate"]);
  });

  it("passes 238 clean pairs and holds 237, naming what is excluded and what is missing", () => {
    expect(judged({ bothOk: 238 }).verdicts[0]).toMatchObject({
      kind: "pass",
      samples: { stable: 238, candidate: 238 },
    });
    expect(judged({ bothOk: 237 }).verdicts[0]).toMatchObject({ kind: "inconclusive", needs: "about 1 more pairs" });
    expect(judged({ bothOk: 237 }).verdicts[0]?.reason).toContain("only more than +2.01 % is excluded");
    expect(judged({ bothOk: 237 }).verdicts[0]?.reason).not.toContain("another status");
    expect(judged({}).verdicts[0]).toMatchObject({
      kind: "no-data",
      reason: "no request was copied and answered by both arms yet",
      needs: "requests that may be copied",
    });
  });

  it("takes no copy for evidence that was answered with another status, and says so", () => {
    const of = (bothOk: number, otherStatus: number) => {
      const one = block({ pairs: { ...NO_PAIRS, bothOk }, otherStatus });
      return judgeTraffic(foldEvidence(startEvidence(GATES), one, GATES), SHADOW, GATES)[0];
    };
    const refused = of(356, 356);
    expect(refused).toMatchObject({ kind: "no-data", samples: { stable: 0, candidate: 0 } });
    expect(refused?.reason).toContain("all of 356 copies were answered with another status");
    expect(refused?.needs).toContain("shadow.headers");
    expect(of(247, 10)).toMatchObject({ kind: "inconclusive", needs: "about 1 more pairs" });
    expect(of(248, 10)).toMatchObject({ kind: "pass", reason: expect.stringContaining("10 more had another status") });
  });

  it("keeps what it has over a window in which nothing was copied", () => {
    const { shadow: _, ...silent } = block({});
    const evidence = foldEvidence(judged({ bothOk: 238 }).evidence, silent, GATES);
    expect(judgeTraffic(evidence, SHADOW, GATES)[0]).toMatchObject({ kind: "pass", samples: { candidate: 238 } });
  });

  it("stops a candidate that alone fails 13 users' requests of few, and not one that fails with stable", () => {
    expect(judged({ candidateFailed: 13 }).verdicts[0]?.kind).toBe("fail");
    expect(judged({ candidateFailed: 13 }).isHarm).toBe(true);
    expect(judged({ candidateFailed: 12 }).isHarm).toBe(false);
    expect(judged({ bothFailed: 500 }).isHarm).toBe(false);
    expect(judged({ candidateFailed: 40, stableFailed: 40, bothOk: 500 }).isHarm).toBe(false);
  });

  it("counts what repeats for one user once against it, and every time against the proof", () => {
    const { verdicts, isHarm } = judged({ bothOk: 500, candidateFailed: 60 }, { candidateFailed: 1 });
    expect([isHarm, verdicts[0]?.kind, verdicts[0]?.needs]).toEqual([
      false,
      "inconclusive",
      "fewer failures of the candidate",
    ]);
  });

  it("stops at most one in twenty equal releases at an alpha of 0.05, looked at after every failure", () => {
    const random = randomStream(5);
    let stopped = 0;
    for (let run = 0; run < 400; run++) {
      let [stableFailed, candidateFailed] = [0, 0];
      for (let at = 0; at < 60; at++) {
        if (random() < 0.5) stableFailed++;
        else candidateFailed++;
        if (!isHarmAt(0.05, { stableFailed, candidateFailed })) continue;
        stopped++;
        break;
      }
    }
    expect(stopped).toBeLessThanOrEqual(20);
    expect(stopped).toBeGreaterThan(0);
  });
});

function isHarmAt(alpha: number, first: ShadowWindow["first"]): boolean {
  const gate = shadowErrors.openTraffic({ ...shadowErrors.defaults, alpha });
  if (gate === null) throw new Error("it reads traffic");
  return gate.isHarmProven(gate.fold(gate.start({ known: [] }), block({ pairs: { ...NO_PAIRS, ...first }, first })));
}

describe("shadow-p95", () => {
  const gates = [aGate("shadow-p95", { ...shadowP95.defaults })];
  const times = (ms: number) => [binOf(ms * 0.8), 10, binOf(ms), 8, binOf(ms * 1.5), 2];

  /** Blocks of one second with 20 pairs each; the candidate takes `factor` times as long. */
  function after200s(factor: number) {
    let evidence = startEvidence(gates);
    for (let second = 1; second <= 200; second++) {
      const warm = { stable: times(100), candidate: times(100 * factor) };
      evidence = foldEvidence(evidence, block({ pairs: { ...NO_PAIRS, bothOk: 20 }, warm }, second), gates);
    }
    return judgeTraffic(evidence, SHADOW, gates)[0]?.kind;
  }

  it("passes a candidate that answers copies as fast as stable, and stops one that takes twice as long", () => {
    expect([after200s(1), after200s(2)]).toEqual(["pass", "fail"]);
  });
});
