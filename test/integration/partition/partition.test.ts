import { describe, expect, it } from "vitest";
import { partition } from "../../../bench/partition/partition.mjs";
import { MAIN } from "../../cli/run-sluice.ts";

describe("a gateway that is cut off from its controller", () => {
  it("sends nobody to the candidate later than one lease after an abort, which is told only when it is true", async () => {
    const results = await partition({ main: MAIN, runs: 3, leaseMs: 1_000 });
    expect(results.map(({ phase }) => phase)).toEqual(["aborted", "aborted", "aborted"]);
    for (const { nearAfter1s, farAfterLease, afterToldAborted } of results) {
      expect([nearAfter1s, farAfterLease, afterToldAborted]).toEqual([0, 0, 0]);
    }
  }, 300_000);
});
