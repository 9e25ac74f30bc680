import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aGate, aPlan, aVerdict, after, probes, traffic, watch } from "../../../test/builders.ts";
import { orderName } from "../process/order.ts";
import type { RolloutEvent } from "./event.ts";
import { brokenInvariants } from "./invariant.ts";
import { isFinal, newRollout, type Rollout } from "./rollout.ts";
import { step } from "./step.ts";

type Draw = {
  kind: string;
  ms: number;
  verdict: "pass" | "fail" | "inconclusive" | "no-data" | "error";
  late: boolean;
};

const draws = fc.array(
  fc.record({
    kind: fc.constantFrom(
      "tick",
      "judged",
      "ok",
      "ok",
      "broken",
      "promote",
      "full",
      "pause",
      "resume",
      "abort",
      "rollback",
    ),
    ms: fc.integer({ min: 0, max: 30_000 }),
    verdict: fc.constantFrom("pass", "pass", "pass", "fail", "inconclusive", "no-data", "error"),
    late: fc.boolean(),
  }) as fc.Arbitrary<Draw>,
  { maxLength: 60 },
);

const plans = fc.record({
  weights: fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 5 }).map((list) => list.sort((a, b) => a - b)),
  withProbes: fc.boolean(),
  to: fc.constantFrom("stable" as const, "previous-stage" as const),
});

function planOf(shape: { weights: number[]; withProbes: boolean; to: "stable" | "previous-stage" }) {
  const stages = [...(shape.withProbes ? [probes()] : []), ...shape.weights.map((weight) => traffic(weight)), watch()];
  return aPlan({ stages, onFail: { to: shape.to }, gates: [aGate("parity"), aGate("error-rate"), aGate("coverage")] });
}

function eventOf(draw: Draw, rollout: Rollout, atMs: number): RolloutEvent {
  const at = after(atMs);
  const [awaited] = rollout.awaiting;
  const orderId = draw.late ? "support-rag-7/1/0" : (awaited?.id ?? "none");
  const of = { at, orderId, order: awaited === undefined ? "none" : orderName(awaited) };
  const gate = awaited?.port === "health" ? "parity" : "coverage";
  switch (draw.kind) {
    case "tick":
      return { kind: "tick", at };
    case "judged":
      return {
        kind: "judged",
        at,
        stageIndex: rollout.stageIndex,
        verdicts: [aVerdict("error-rate", draw.verdict)],
        hasAnsweredAlone: true,
      };
    case "ok": {
      const verdicts = awaited?.port === "traffic" ? [] : [aVerdict(gate, draw.verdict)];
      return { kind: "order-done", ...of, verdicts };
    }
    case "broken":
      return { kind: "order-failed", ...of, code: "unreachable", message: "no answer" };
    default: {
      const command =
        draw.kind === "full" ? "promote" : (draw.kind as "promote" | "pause" | "resume" | "abort" | "rollback");
      return { kind: "commanded", at, command, full: draw.kind === "full", by: "ann", reason: "" };
    }
  }
}

function play(shape: Parameters<typeof planOf>[0], script: readonly Draw[]): { states: Rollout[]; atMs: number } {
  let atMs = 0;
  let rollout = step(newRollout(planOf(shape)), { kind: "started", at: after(0) }).state;
  const states = [rollout];
  for (const draw of script) {
    atMs += draw.ms;
    rollout = step(rollout, eventOf(draw, rollout, atMs)).state;
    states.push(rollout);
  }
  return { states, atMs };
}

describe("step, for any plan and any order of events", () => {
  it("keeps every invariant: shares within the stage, nothing on a failed candidate (I3, I4)", () => {
    fc.assert(
      fc.property(plans, draws, (shape, script) => {
        for (const state of play(shape, script).states) expect(brokenInvariants(state)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("never reuses an effect id and never changes an ended rollout except by rollback (I10)", () => {
    fc.assert(
      fc.property(plans, draws, (shape, script) => {
        const { states } = play(shape, script);
        script.forEach(({ kind }, index) => {
          const before = states[index] as Rollout;
          if (isFinal(before) && kind !== "rollback") expect(states[index + 1]).toBe(before);
        });
        const ids = new Set<string>();
        let last: string | null = null;
        for (const { awaiting } of states) {
          expect(awaiting.length).toBeLessThanOrEqual(1);
          const [order] = awaiting;
          if (order === undefined || order.id === last) continue;
          expect(ids.has(order.id)).toBe(false);
          ids.add(order.id);
          last = order.id;
        }
      }),
      { numRuns: 500 },
    );
  });

  it("reaches an end from every state: one abort or rollback and the data plane's answers suffice (I5, I20)", () => {
    fc.assert(
      fc.property(plans, draws, (shape, script) => {
        const { states, atMs } = play(shape, script);
        let rollout = states.at(-1) as Rollout;
        for (const command of ["abort", "rollback"] as const) {
          const event = { kind: "commanded", at: after(atMs), command, full: false, by: "ann", reason: "" } as const;
          rollout = step(rollout, event).state;
        }
        for (const { id: orderId } of rollout.awaiting) {
          const of = { at: after(atMs + 1), orderId, order: "traffic.publish" };
          rollout = step(rollout, { kind: "order-done", ...of, verdicts: [] }).state;
        }
        expect(isFinal(rollout)).toBe(true);
        expect(rollout.candidateBp).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it("ends by itself when every answer is good: promoted, with shares that only rise", () => {
    fc.assert(
      fc.property(plans, (shape) => {
        let rollout = step(newRollout(planOf(shape)), { kind: "started", at: after(0) }).state;
        let highestBp = 0;
        for (let atMs = 1_000; atMs < 1e6 && !isFinal(rollout); atMs += 1_000) {
          const kind = rollout.awaiting.length === 0 ? "judged" : "ok";
          const draw = { kind, ms: 0, verdict: "pass", late: false } as const;
          rollout = step(rollout, eventOf(draw, rollout, atMs)).state;
          if (rollout.phase === "progressing") {
            expect(rollout.candidateBp).toBeGreaterThanOrEqual(highestBp);
            highestBp = rollout.candidateBp;
          }
        }
        expect(rollout.phase).toBe("promoted");
      }),
      { numRuns: 300 },
    );
  });
});
