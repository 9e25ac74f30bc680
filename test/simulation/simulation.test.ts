import { describe, expect, it } from "vitest";
import { scenarioOf } from "./scenario.ts";
import { simulate } from "./simulate.ts";

/** Few enough for every run of the suite; `npm run sim` plays as many as there is time for. */
const SEEDS = 100;

describe("the seeded world", () => {
  it("gives the same trace for the same seed, and another one for another", async () => {
    const digests = new Set<string>();
    for (let seed = 1; seed <= 12; seed++) {
      const [one, again] = [await simulate(scenarioOf(seed)), await simulate(scenarioOf(seed))];
      expect(one.events).toBeGreaterThan(10);
      expect([again.digest, again.events]).toEqual([one.digest, one.events]);
      digests.add(one.digest);
    }
    expect(digests.size).toBe(12);
  });

  it(`breaks no law in ${SEEDS} seeds, and ends in every way a rollout can end`, async () => {
    const phases = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violation, lastEvents, ends } = await simulate(scenarioOf(seed));
      expect(violation, `npm run sim -- --seed ${seed}\n${lastEvents.join("\n")}`).toBeNull();
      for (const end of ends) phases.add(end.split(" ")[1] ?? "");
    }
    for (const phase of ["promoted", "rolled-back", "aborted", "waiting"]) expect([...phases]).toContain(phase);
  });
});
