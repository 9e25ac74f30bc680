import { describe, expect, it } from "vitest";
import { aBlock, after } from "../../../test/builders.ts";
import { binOf } from "../window/sketch.ts";
import { foldWorst, NO_WORST } from "./worst-window.ts";

const second = (endS: number, failures: number, latencyMs = 50) =>
  aBlock(10, { requests: 90 }, { requests: 10, failures, warm: [binOf(latencyMs), 10 - failures] }, endS);

describe("foldWorst", () => {
  it("keeps the five seconds with the highest share of failures, and the slowest five, with their times", () => {
    const blocks = Array.from({ length: 30 }, (_, index) =>
      second(index + 1, index >= 10 && index < 15 ? 8 : 1, index >= 20 && index < 25 ? 900 : 50),
    );
    const { failures, latency } = blocks.reduce(foldWorst, NO_WORST);
    expect(failures).toMatchObject({ startMs: after(10_000), endMs: after(15_000) });
    expect(failures?.arms.candidate).toMatchObject({ requests: 50, failures: 40 });
    expect(failures?.arms.stable).toMatchObject({ requests: 450, failures: 0, p95Ms: null });
    expect(latency).toMatchObject({ startMs: after(20_000), endMs: after(25_000) });
  });

  it("knows no worst stretch before the candidate answered, without failures, and with fewer than 5 requests", () => {
    const quiet = Array.from({ length: 10 }, (_, index) => aBlock(1, { requests: 99 }, {}, index + 1));
    expect(quiet.reduce(foldWorst, NO_WORST)).toEqual(NO_WORST);
    const few = Array.from({ length: 10 }, (_, index) =>
      aBlock(1, { requests: 99 }, index % 5 === 0 ? { requests: 1, failures: 1 } : {}, index + 1),
    );
    expect(few.reduce(foldWorst, NO_WORST).failures).toBeNull();
    expect([1, 2, 3, 4, 5].map((endS) => second(endS, 0)).reduce(foldWorst, NO_WORST).failures).toBeNull();
  });
});
