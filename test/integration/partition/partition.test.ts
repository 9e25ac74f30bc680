import { describe, expect, it } from "vitest";
import { partition } from "../../../bench/partition/partition.mjs";
import { randomStream } from "../../../src/core/stats/random.ts";
import { MAIN } from "../../cli/run-sluice.ts";
import { freePort } from "../../free-port.ts";
import { inTurn } from "../../in-turn.ts";

/** Half a minute each, one a day. */
const VARIANTS = [
  ["lives", "cut", 2],
  ["is killed and started again", "killed", 2],
  ["is killed and its database restored from an older backup", "restored", 2],
] as const;
/** Of the two restored databases one is older than an abort and a second try, and one is as it was. */
const SEED = 5;

describe("a gateway that is cut off from its controller", () => {
  it.each(inTurn(VARIANTS, 1))(
    "sends nobody to the candidate later than promised, and aborted is told only when it is true, while the controller %s",
    async (_, variant, runs) => {
      const [controllerPort, random] = [await freePort(), randomStream(SEED)];
      const results = await partition({ main: MAIN, runs, leaseMs: 1_000, variant, controllerPort, random });
      expect(results.map(({ phase }) => phase)).toEqual(Array.from({ length: runs }, () => "aborted"));
      for (const { nearAfter1s, farAfterLease, afterToldAborted } of results) {
        expect([nearAfter1s, farAfterLease, afterToldAborted]).toEqual([0, 0, 0]);
      }
    },
    300_000,
  );
});
