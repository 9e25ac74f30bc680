import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSluice, temporaryFolder } from "./run-sluice.ts";

/** A service with 12 requests a second: what a first try has. */
const TRAFFIC = ["--rps", "12"];

describe("sluice init --trial", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const file = () => join(folder.path, "rollout.yaml");
  const simulated = async (...scenarios: string[]) => {
    const argv = ["simulate", "--policy", file(), ...TRAFFIC, "--runs", "10", "--scenario", ...scenarios, "--json"];
    const lines = (await runSluice(argv)).stdout.trim().split("\n");
    return new Map(lines.map((line) => JSON.parse(line)).map((one) => [one.scenario, one]));
  };

  beforeAll(async () => {
    folder = await temporaryFolder();
    expect((await runSluice(["init", "--trial", "--dir", folder.path])).code).toBe(0);
  });
  afterAll(() => folder.remove());

  it("is announced by plan to be at 100 % within five minutes, with every gate able to decide", async () => {
    const planned = await runSluice(["plan", file(), ...TRAFFIC, "--json"]);
    const { rollout, warnings } = JSON.parse(planned.stdout);
    expect([planned.code, warnings]).toEqual([0, [expect.objectContaining({ code: "W205" })]]);
    expect(warnings[0].message).toContain("10 more failures in 100 requests and a p95 of 3 times stable's");
    expect(rollout.time_to_100_s.within).toBeLessThan(300);
  });

  it("promotes healthy candidates in minutes and takes broken ones back, as rehearsed", async () => {
    const found = await simulated("healthy", "errors-50", "dead");
    const healthy = found.get("healthy");
    expect([healthy.false_abort.value, healthy.undecided.value]).toEqual([0, 0]);
    expect(healthy.time_to_100_s.p95).toBeLessThan(240);
    for (const scenario of ["errors-50", "dead"]) {
      const { false_promote: promoted, time_to_decision_s: time } = found.get(scenario);
      expect([scenario, promoted.value, time.p95 < 30]).toEqual([scenario, 0, true]);
    }
  });

  it("says in the document what it is not good for; without the flag the document proves by evidence", async () => {
    expect(await readFile(file(), "utf8")).toMatch(/A first try: .*\n.*before you release something that matters/);
    const other = await temporaryFolder();
    try {
      await runSluice(["init", "--dir", other.path]);
      const text = await readFile(join(other.path, "rollout.yaml"), "utf8");
      expect(text).toContain("pace: evidence");
      expect(text).not.toContain("A first try");
    } finally {
      await other.remove();
    }
  });
});
