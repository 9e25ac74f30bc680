import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PLANTED_BUGS } from "./planted-bugs.ts";
import { type Scenario, scenarioOf } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { type Outcome, simulate } from "./simulate.ts";

/** Few enough for every run of the suite; `npm run sim` plays as many as there is time for. */
const SEEDS = 40;

describe("the seeded world", () => {
  it("gives the same trace for the same seed, and another one for another", async () => {
    const digests = new Set<string>();
    for (let seed = 1; seed <= 4; seed++) {
      const [one, again] = [await simulate(scenarioOf(seed)), await simulate(scenarioOf(seed))];
      expect(one.events).toBeGreaterThan(10);
      expect([again.digest, again.events]).toEqual([one.digest, one.events]);
      digests.add(one.digest);
    }
    expect(digests.size).toBe(4);
  });

  it(`breaks no law in ${SEEDS} seeds, ends in every way but one and meets every kind of fault`, async () => {
    const [phases, faults] = [new Set<string>(), new Set<string>()];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const outcome = await simulate(scenarioOf(seed));
      expect(outcome.violation, `npm run sim -- --seed ${seed}\n${outcome.lastEvents.join("\n")}`).toBeNull();
      for (const end of outcome.ends) phases.add(end.split(" ")[1] ?? "");
      for (const [kind, times] of Object.entries(outcome.faults)) if (times > 0) faults.add(kind);
    }
    const ends = ["promoted", "rolled-back", "aborted", "waiting", "done", "returned"];
    for (const phase of ends) expect([...phases]).toContain(phase);
    const usual = ["cut", "kill", "restart-plane", "stand", "suspend", "jump-wall", "store-fails", "store-slow"];
    const kinds = [...usual, "hinder", "dies: after-product"];
    expect([...faults]).toEqual(expect.arrayContaining([...kinds, "message lost", "message doubled", "message late"]));
  });
});

describe("the smaller scenario of a failing seed", () => {
  it("keeps what breaks the law and nothing else", async () => {
    const whole = scenarioOf([...Array(200).keys()].find((seed) => isBroken(scenarioOf(seed))) ?? 0);
    const play = async (scenario: Scenario): Promise<Outcome> => {
      const violation = isBroken(scenario) ? { law: "made up", text: "", atMs: 0 } : null;
      return {
        seed: 0,
        violation,
        digest: "",
        events: 0,
        decisions: 0,
        lastEvents: [],
        ends: [],
        faults: {},
        virtualMs: 0,
      };
    };
    const { scenario } = await shrink(whole, await play(whole), play);
    expect(scenario.faults.map(({ kind }) => kind)).toEqual(["kill"]);
    expect(scenario).toMatchObject({ planes: ["g1", "g2"], orders: [], noise: { loss: 0, duplicates: 0, delayMs: 0 } });
  });

  const isBroken = ({ faults, planes }: Scenario) => faults.some(({ kind }) => kind === "kill") && planes.length > 1;
});

describe("wrong behaviours that are planted", () => {
  it("stand in the sources as they are now, each in one place, under a name of its own", () => {
    expect(PLANTED_BUGS.length).toBeGreaterThanOrEqual(15);
    expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length);
    for (const { name, file, find, replace } of PLANTED_BUGS) {
      expect([name, readFileSync(file, "utf8").split(find).length]).toEqual([name, 2]);
      expect(replace).not.toBe(find);
    }
  });

  it.each(["no-lease", "duplicate-window", "freeze-not-waited"])("are noticed within 50 seeds: %s", (name) => {
    const args = ["tools/sim-planted.mjs", "--only", name, "--seeds", "50"];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 });
    expect([status, stdout]).toEqual([0, expect.stringContaining("1 planted, 1 noticed")]);
  });
});
