import { describe, expect, it } from "vitest";
import { partition } from "../../../bench/partition/partition.mjs";
import { MAIN } from "../../cli/run-sluice.ts";

describe("a gateway that is cut off from its controller", () => {
  it.each([
    ["lives", "cut", 3],
    ["is killed and started again", "killed", 2],
    ["is killed and its database restored from an older backup", "restored", 2],
  ] as const)(
    "sends nobody to the candidate later than promised, and aborted is told only when it is true, while the controller %s",
    async (_, variant, runs) => {
      const results = await partition({ main: MAIN, runs, leaseMs: 1_000, variant });
      expect(results.map(({ phase }) => phase)).toEqual(Array.from({ length: runs }, () => "aborted"));
      for (const { nearAfter1s, farAfterLease, afterToldAborted } of results) {
        expect([nearAfter1s, farAfterLease, afterToldAborted]).toEqual([0, 0, 0]);
      }
    },
    300_000,
  );
});
