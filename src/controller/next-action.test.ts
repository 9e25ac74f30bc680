import { describe, expect, it } from "vitest";
import { aRollout, T0 } from "../../test/builders.ts";
import { answerTo } from "../core/rollout/command.ts";
import type { Phase } from "../core/rollout/rollout.ts";
import { nextAction } from "./next-action.ts";

const HEARD = { live: 1, silentMs: 100 };
const ended = (phase: Phase) => aRollout({ phase, endedAt: T0, candidateBp: 0 as never });
const next = (phase: Phase, planes = HEARD, document: { rolloutId: string | null; epoch: number } | null = null) =>
  nextAction(ended(phase), T0, planes, document);

describe("what comes next after the end", () => {
  it.each(["rolled-back", "aborted"] as const)("%s: mend it under a new name, or retry, as resume says", (phase) => {
    expect(answerTo(ended(phase), "resume")).toMatchObject({ instead: "retry" });
    expect(next(phase)).toMatch(/under a new name, or try it again: sluice retry support-rag-7$/);
  });

  it("promoted: rollback, while it works", () => {
    expect(answerTo(ended("promoted"), "rollback")).toMatchObject({ kind: "acts" });
    expect(next("promoted", HEARD, { rolloutId: "support-rag-7", epoch: 3 })).toMatch(/sluice rollback support-rag-7$/);
  });

  it("promoted and superseded: who decides now, and no rollback that would be refused", () => {
    const later = next("promoted", HEARD, { rolloutId: "support-rag-8", epoch: 4 });
    expect(later).toContain("support-rag-8 decides over support-rag since; see: sluice service support-rag");
    expect(next("promoted", HEARD, { rolloutId: null, epoch: 4 })).toContain("an operator decides");
    expect(later).not.toContain("sluice rollback");
  });

  it.each(["rolled-back", "aborted", "promoted"] as const)("%s: says while no gateway is heard", (phase) => {
    expect(next(phase, { live: 0, silentMs: 25_000 })).toMatch(
      /no gateway of support-rag was heard for 25 s, so nothing is known to serve users now; start one with: sluice gateway FILE$/,
    );
    expect(next(phase)).not.toContain("gateway");
  });
});
