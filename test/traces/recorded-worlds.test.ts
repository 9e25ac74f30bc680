import { describe, expect, it } from "vitest";
import { changes, playController, playJudge, playRehearsal, threeSequences } from "./play.ts";
import { type RecordedWorld, WORLDS } from "./worlds.ts";

/**
 * What each recorded world came to, in the controller, in a rehearsal and in a judged trace. The files are the record:
 * a line that changes is a decision that changed, and is looked at before it is accepted (`vitest -u`).
 */
describe("recorded worlds", () => {
  it.each(WORLDS)("are decided as recorded: $name", { timeout: 120_000 }, async (world) => {
    const { journal, documents, verdicts, arrivals } = await playController(world);
    const sections = [
      ["controller: journal", journal],
      ["controller: documents", documents],
      ["controller: verdicts at the end of each second", changes(verdicts, "second")],
      ["simulate: after each second", changes(playRehearsal(world).states, "second")],
      ["judge: after each window", changes(playJudge(world, arrivals), "window")],
    ] as const;
    const text = sections.map(([title, lines]) => `${[`## ${title}`, ...lines].join("\n")}\n`).join("\n");
    await expect(text).toMatchFileSnapshot(`golden/${world.name}.txt`);
  });
});

describe("one recorded world, fed to the controller, a rehearsal and a judged trace", () => {
  it.each(["healthy", "errors", "slow", "silent", "fails-at-50-goes-back-to-25"])(
    "gives one sequence of verdicts: %s",
    {
      timeout: 120_000,
    },
    async (name) => {
      const world = WORLDS.find((one) => one.name === name) as RecordedWorld;
      const said = await threeSequences(world);
      expect(said["controller"]?.filter((line) => line !== "").length).toBeGreaterThan(0);
      expect(said["simulate"]).toEqual(said["controller"]);
      expect(said["judge in step"]).toEqual(said["controller in step"]);
      expect(said["judge in step"]?.filter((line) => line !== "-").length).toBeGreaterThan(
        (said["judge in step"]?.length ?? 0) / 2,
      );
    },
  );
});
