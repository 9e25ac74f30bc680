import { describe, expect, it } from "vitest";
import { aBlock } from "../../../test/builders.ts";
import { bp } from "../unit.ts";
import type { Verdict } from "../verdict.ts";
import type { Block, StageView } from "./gate.ts";
import { newErrorClass } from "./new-error-class.ts";

const OPTIONS = { alpha: 0.001, beta: 0.05 };
const at = (percent: number): StageView => ({ kind: "traffic", candidateBp: bp(percent * 100), heldMs: 0, holdMs: 0 });

function judged(...blocks: readonly Block[]): Verdict {
  const state = blocks.reduce((last, block) => newErrorClass.fold(last, block, OPTIONS), newErrorClass.start(OPTIONS));
  const verdict = newErrorClass.decide(state, at(1), OPTIONS);
  expect(newErrorClass.isHarmProven(state, OPTIONS)).toBe(verdict.kind === "fail");
  return verdict;
}

/** Of 100 requests `candidate` were the candidate's; so many of them failed with the class. */
const seen = (name: string, count: number, candidate = 1, orderedPercent = 1) =>
  aBlock(
    orderedPercent,
    { requests: 100 - candidate },
    { requests: candidate, failures: count, classes: count === 0 ? {} : { [name]: count } },
  );
const CUT = "body|network|ECONNRESET";

describe("new-error-class", () => {
  it("is no data until the candidate has answered, and then says what it compares", () => {
    expect(judged()).toMatchObject({ kind: "no-data", estimate: null, needs: "traffic" });
    expect(judged(aBlock(1, { requests: 99 }, {}))).toMatchObject({ kind: "no-data" });
    expect(judged(seen(CUT, 0), seen(CUT, 0))).toMatchObject({
      kind: "pass",
      estimate: 0,
      threshold: 0,
      alpha: 0.001,
      samples: { stable: 198, candidate: 2 },
    });
  });

  it.each([
    ["headers|5xx|503", "new_5xx_class"],
    [CUT, "new_error_class"],
  ])("GQ-19: names %s by its own stop condition, %s", (name, condition) => {
    const verdict = judged(seen(name, 1), seen(name, 1));
    expect(verdict).toMatchObject({ kind: "fail", condition, estimate: 2 });
    expect(verdict.eValue).toBeCloseTo(10_000, 6); // 1 % squared, inverted.
  });

  it("adds sightings up over windows, each at the share it was seen at", () => {
    expect(judged(seen(CUT, 1, 50, 50), seen(CUT, 2, 50, 50)).estimate).toBe(3);
    expect(judged(seen(CUT, 1, 50, 50), seen(CUT, 1, 1, 1)).eValue).toBeCloseTo(200, 6);
  });

  it("reckons with the larger of both shares, of users and of requests", () => {
    expect(judged(seen(CUT, 1, 20, 1)).eValue).toBeCloseTo(5, 6);
    expect(judged(seen(CUT, 1, 1, 20)).eValue).toBeCloseTo(5, 6);
  });

  it("says how many more sightings would settle it: 1 at 1 %, and 2 after one at 5 %", () => {
    expect(judged(seen(CUT, 1)).needs).toBe("1 more sightings, or one on stable");
    expect(judged(seen(CUT, 1, 5, 5)).needs).toBe("2 more sightings, or one on stable");
  });

  it("puts one sighting at 10 % down to chance", () => {
    expect(judged(seen(CUT, 1, 10, 10))).toMatchObject({ kind: "pass", estimate: 1 });
  });

  it("names the class that chance explains least", () => {
    const both = aBlock(1, { requests: 99 }, { requests: 1, classes: { [CUT]: 1, "headers|5xx|503": 2 } });
    expect(judged(both).reason).toContain("class headers|5xx|503 seen 2 times");
    const turned = aBlock(1, { requests: 99 }, { requests: 1, classes: { "headers|5xx|503": 1, [CUT]: 2 } });
    expect(judged(turned).reason).toContain(`class ${CUT} seen 2 times`);
  });

  it("keeps what it knows when a gateway still at 0 % reports late", () => {
    const late = aBlock(0, { requests: 100 }, {});
    expect(judged(seen(CUT, 1), late).kind).toBe("inconclusive");
    expect(judged(seen(CUT, 1), late, seen(CUT, 1)).kind).toBe("fail");
    expect(
      judged(aBlock(0, {}, { requests: 0, requestsAll: 1, classes: { [CUT]: 1 } }), seen(CUT, 0)).eValue,
    ).toBeCloseTo(10_000, 6);
  });
});
