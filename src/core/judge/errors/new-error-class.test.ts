import { describe, expect, it } from "vitest";
import { aBlock } from "../../../../test/builders.ts";
import { verdictOf } from "../../../../test/verdict-of.ts";
import type { Verdict } from "../../verdict.ts";
import type { Block } from "../block.ts";
import { newErrorClass } from "./new-error-class.ts";

const OPTIONS = { alpha: 0.001, beta: 0.05 };

const judged = (...blocks: readonly Block[]): Verdict => verdictOf(newErrorClass, OPTIONS, 1, blocks);

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
    expect(judged()).toMatchObject({ kind: "no-data", estimate: null, needs: "requests that the candidate answers" });
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
    expect(judged(both).reason).toContain(
      "requests that answered 503 (class headers|5xx|503) were seen 2 times on the candidate",
    );
    const turned = aBlock(1, { requests: 99 }, { requests: 1, classes: { "headers|5xx|503": 1, [CUT]: 2 } });
    expect(judged(turned).reason).toContain(
      `requests that broke off within the answer (ECONNRESET) (class ${CUT}) were seen 2 times`,
    );
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

describe("new-error-class, by the definition", () => {
  const seen = (percent: number, name: string) =>
    aBlock(percent, { requests: 99 }, { requests: 1, failures: 1, classes: { [name]: 1 } });

  it("fails at 2 sightings at 1 %, 3 at 5 %, 5 at 25 %, 10 at 50 % (definitions §8)", () => {
    for (const [percent, needed] of [
      [1, 2],
      [5, 3],
      [25, 5],
      [50, 10],
    ] as const) {
      const one = aBlock(
        percent,
        { requests: 100 - percent },
        { requests: percent, failures: 1, classes: { "body|network|cut": 1 } },
      );
      expect(verdictOf(newErrorClass, OPTIONS, percent, Array(needed - 1).fill(one)).kind, `${percent} %`).not.toBe(
        "fail",
      );
      expect(verdictOf(newErrorClass, OPTIONS, percent, Array(needed).fill(one)).kind, `${percent} %`).toBe("fail");
    }
  });

  it("clears a class as soon as stable shows it too (TE-17)", () => {
    const onStable = aBlock(1, { requests: 99, failures: 1, classes: { "headers|5xx|503": 1 } }, {});
    const blocks = [seen(1, "headers|5xx|503"), onStable, seen(1, "headers|5xx|503"), seen(1, "headers|5xx|503")];
    expect(verdictOf(newErrorClass, OPTIONS, 1, blocks).kind).toBe("pass");
  });

  it("does not call a class new that stable showed before the rollout", () => {
    const blocks = [1, 2, 3].map(() => seen(1, "headers|5xx|503"));
    expect(verdictOf(newErrorClass, OPTIONS, 1, blocks, { known: ["headers|5xx|503"] }).kind).toBe("pass");
  });

  it("holds on what may be chance or not: one sighting at 1 %", () => {
    expect(verdictOf(newErrorClass, OPTIONS, 1, [seen(1, "body|network|cut")]).kind).toBe("inconclusive");
  });
});
