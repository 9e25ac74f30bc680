import { describe, expect, it } from "vitest";
import { aBlock } from "../../../../test/builders.ts";
import { atShare, opened, stateOf, verdictOf } from "../../../../test/verdict-of.ts";
import type { Verdict } from "../../verdict.ts";
import type { Block } from "../block.ts";
import { sampleRatio } from "./sample-ratio.ts";

const OPTIONS = { alpha: 0.001 };

const fold = (blocks: readonly Block[]) => stateOf(sampleRatio, OPTIONS, blocks);
const judged = (...blocks: readonly Block[]): Verdict => verdictOf(sampleRatio, OPTIONS, 5, blocks);

const drawn = (percent: number, stable: number, candidate: number, source = "gw-1"): Block => ({
  ...aBlock(percent, { newUnits: stable }, { newUnits: candidate }),
  source,
});

describe("sample-ratio", () => {
  it("RT-1: adds the users of one share up over windows and of several shares together", () => {
    const verdict = judged(drawn(5, 95, 5), drawn(5, 190, 10), drawn(50, 100, 100));
    expect(verdict).toMatchObject({ kind: "pass", samples: { stable: 385, candidate: 115 }, estimate: 0.23 });
    expect(verdict.reason).toBe(
      "115 of 500 users were drawn to the candidate when they first came (those a higher share moved later were not drawn again), as ordered",
    );
  });

  it("finds a wrong split in parts that would each pass, at one share and over several", () => {
    const part = (percent: number) => drawn(percent, 100 - percent * 2, percent * 2);
    expect(judged(part(5)).kind).toBe("pass");
    expect(judged(...Array(10).fill(part(5))).kind).toBe("error");
    const ladder = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11].flatMap((percent) => [part(percent), part(percent)]);
    expect(judged(...ladder).kind).toBe("error");
  });

  it("takes nothing from 0 % and 100 %, where no user is drawn", () => {
    const edges = [drawn(0, 500, 0), drawn(100, 0, 500)];
    expect(judged(...edges)).toMatchObject({ kind: "no-data", estimate: null });
    expect(judged(...edges, drawn(5, 95, 5))).toMatchObject({ kind: "pass", samples: { stable: 95, candidate: 5 } });
    expect(judged(drawn(0, 0, 500), drawn(100, 500, 0)).kind).toBe("no-data"); // Late windows, and users pinned by hand.
  });

  it("says which header is missing, and of how many requests, while no request names its user", () => {
    const unnamed = { ...aBlock(5, { requestsAll: 907 }, {}), source: "gw-1" };
    const stage = { ...atShare(5), usersNamedBy: ["x-user-id", "x-tenant"] };
    expect(opened(sampleRatio, OPTIONS).decide(fold([unnamed]), stage)).toMatchObject({
      kind: "no-data",
      reason: "none of 907 requests has x-user-id or x-tenant, so all of them went to stable",
      needs: "requests with x-user-id or x-tenant",
    });
    expect(opened(sampleRatio, OPTIONS).decide(fold([unnamed, drawn(5, 95, 5)]), stage).kind).toBe("pass");
  });

  it("does not say that all went to stable when the candidate answered one of them", () => {
    const mixed = { ...aBlock(5, { requestsAll: 900 }, { requestsAll: 7 }), source: "gw-1" };
    expect(judged(mixed, { ...mixed, ...aBlock(5, { requestsAll: 93 }, {}) })).toMatchObject({
      kind: "no-data",
      reason: "none of 1000 requests names its user, so the split of users cannot be checked",
    });
  });

  it("counts users of one arm alone", () => {
    expect(judged(drawn(50, 0, 5)).samples).toEqual({ stable: 0, candidate: 5 });
    expect(judged(drawn(50, 5, 0)).samples).toEqual({ stable: 5, candidate: 0 });
    expect(judged(drawn(50, 5, 5)).samples).toEqual({ stable: 5, candidate: 5 });
    expect(judged(drawn(50, 0, 0)).kind).toBe("no-data");
  });

  it("keeps a bounded number of sources: the 65th and later are counted into the 64th, none is lost", () => {
    const fleet = Array.from({ length: 70 }, (_, index) => drawn(50, 10, 10, `gw-${index}`));
    const story = [...fleet, drawn(50, 3, 0, "gw-0"), drawn(50, 4, 0, "gw-63"), drawn(50, 5, 0, "gw-69")];
    const sources = Array.from({ length: 64 }, (_, index) => [
      `gw-${index}`,
      [{ candidateBp: 5_000, stable: 10, candidate: 10 }],
    ]);
    const bySource = {
      ...Object.fromEntries(sources),
      "gw-0": [{ candidateBp: 5_000, stable: 13, candidate: 10 }],
      "gw-63": [{ candidateBp: 5_000, stable: 79, candidate: 70 }],
    };
    expect(fold(story)).toEqual({ bySource });
    expect(judged(...story).samples).toEqual({ stable: 712, candidate: 700 });
  });
});
