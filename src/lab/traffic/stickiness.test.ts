import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Served, stickiness } from "./stickiness.ts";

type Step = readonly [document: `${number}.${number}`, candidateBp: number, arm: "stable" | "candidate"];

function servedBy(steps: readonly Step[], user = "user-1"): readonly Served[] {
  return steps.map(([document, candidateBp, arm]) => {
    const [epoch, seq] = document.split(".").map(Number) as [number, number];
    return { user, arm, document: { epoch, seq }, candidateBp };
  });
}

function count(served: readonly Served[]): number {
  const sticky = stickiness();
  for (const one of served) sticky.observe(one);
  return sticky.violations();
}

describe("stickiness", () => {
  it("allows stable to candidate when the share rose and candidate to stable when it fell", () => {
    expect(
      count(
        servedBy([
          ["1.1", 1000, "stable"],
          ["1.2", 5000, "candidate"],
          ["1.3", 10_000, "candidate"],
          ["2.1", 0, "stable"],
        ]),
      ),
    ).toBe(0);
  });

  it("allows a user to wait on stable until the share of a document is in force, and to fall back when it lapses", () => {
    expect(
      count(
        servedBy([
          ["1.1", 0, "stable"],
          ["1.1", 1000, "candidate"],
          ["1.1", 0, "stable"],
          ["1.2", 5000, "candidate"],
        ]),
      ),
    ).toBe(0);
  });

  it("counts a move over a lapse that dealt nobody anew", () => {
    const others = servedBy([["1.2", 5000, "stable"]], "user-2");
    const lapse = servedBy([["1.2", 0, "stable"]], "user-3");
    const moved = servedBy([
      ["1.1", 1000, "candidate"],
      ["1.3", 5000, "stable"],
    ]);
    expect(count([...moved, ...others, ...lapse])).toBe(1);
  });

  it("counts a user who leaves the candidate though its share rose or stayed", () => {
    expect(
      count(
        servedBy([
          ["1.1", 1000, "candidate"],
          ["1.2", 5000, "stable"],
        ]),
      ),
    ).toBe(1);
    expect(
      count(
        servedBy([
          ["1.1", 1000, "candidate"],
          ["1.2", 1000, "stable"],
        ]),
      ),
    ).toBe(1);
  });

  it("counts a user who enters the candidate though its share fell or stayed", () => {
    expect(
      count(
        servedBy([
          ["1.1", 5000, "stable"],
          ["1.2", 1000, "candidate"],
        ]),
      ),
    ).toBe(1);
    expect(
      count(
        servedBy([
          ["1.1", 5000, "stable"],
          ["1.2", 5000, "candidate"],
        ]),
      ),
    ).toBe(1);
  });

  it("counts each answer from the other arm under one document", () => {
    expect(
      count(
        servedBy([
          ["1.1", 5000, "stable"],
          ["1.1", 5000, "candidate"],
          ["1.1", 5000, "stable"],
          ["1.1", 5000, "candidate"],
        ]),
      ),
    ).toBe(2);
  });

  it("orders documents by epoch and then by number, not by text", () => {
    expect(
      count(
        servedBy([
          ["1.9", 1000, "stable"],
          ["1.10", 5000, "candidate"],
        ]),
      ),
    ).toBe(0);
    expect(
      count(
        servedBy([
          ["9.1", 5000, "candidate"],
          ["10.1", 1000, "stable"],
        ]),
      ),
    ).toBe(0);
  });

  it("lets a user stay where he is at any share", () => {
    expect(
      count(
        servedBy([
          ["1.1", 5000, "candidate"],
          ["1.2", 1000, "candidate"],
          ["1.3", 9000, "candidate"],
        ]),
      ),
    ).toBe(0);
    expect(
      count(
        servedBy([
          ["1.1", 1000, "stable"],
          ["1.2", 9000, "stable"],
        ]),
      ),
    ).toBe(0);
  });

  it("explains any move across a document with share 0, even one that only other users saw, even late", () => {
    const moves = servedBy([
      ["1.1", 5000, "stable"],
      ["3.1", 1000, "candidate"],
    ]);
    expect(count(moves)).toBe(1);
    expect(count([...moves, ...servedBy([["2.1", 0, "stable"]], "user-2")])).toBe(0);
    expect(count([...moves, ...servedBy([["4.1", 0, "stable"]], "user-2")])).toBe(1);
  });

  it("keeps users apart", () => {
    expect(count([...servedBy([["1.1", 1000, "stable"]], "a"), ...servedBy([["1.1", 1000, "candidate"]], "b")])).toBe(
      0,
    );
  });

  const shares = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 8 });
  const route = (bucket: number, shareBp: readonly number[]): readonly Served[] => {
    return shareBp.map((candidateBp, seq) => {
      const arm = bucket < candidateBp ? "candidate" : "stable";
      return { user: "user-1", arm, document: { epoch: 1, seq }, candidateBp };
    });
  };

  it("finds nothing in what a threshold router does, in any order of arrival", () => {
    const cases = fc.tuple(fc.nat(9_999), shares).chain(([bucket, shareBp]) => {
      const served = route(bucket, shareBp);
      return fc.shuffledSubarray([...served], { minLength: served.length });
    });
    fc.assert(fc.property(cases, (served) => count(served) === 0));
  });

  it("gives the same count whatever the order of arrival", () => {
    const arms = fc.array(fc.constantFrom("stable" as const, "candidate" as const), { minLength: 2, maxLength: 8 });
    const cases = arms.chain((list) => {
      const served: Served[] = list.map((arm, seq) => ({
        user: "u",
        arm,
        document: { epoch: 1, seq },
        candidateBp: 100 * (seq % 3),
      }));
      return fc.tuple(fc.constant(served), fc.shuffledSubarray(served, { minLength: served.length }));
    });
    fc.assert(fc.property(cases, ([served, shuffled]) => count(shuffled) === count(served)));
  });

  it("(checker) sees a router that deals anew at each document", () => {
    const shareBp = [1000, 2000, 5000, 9000];
    const sticky = stickiness();
    for (let user = 0; user < 200; user++) {
      for (const [seq, candidateBp] of shareBp.entries()) {
        const arm = (user * 7919 + seq * 4801) % 10_000 < candidateBp ? "candidate" : "stable";
        sticky.observe({ user: `user-${user}`, arm, document: { epoch: 1, seq }, candidateBp });
      }
    }
    expect(sticky.violations()).toBeGreaterThan(20);
  });
});
