import { describe, expect, it } from "vitest";
import { SCENES } from "../../src/cli/demo/cutover/scene.ts";
import type { CutoverSummary } from "../../src/cli/demo/cutover/summary.ts";
import { startSluice } from "../cli/run-sluice.ts";
import { inTurn } from "../in-turn.ts";

/** Nothing that a user or a job may notice, in every scene. */
const CLEAN = { failed_requests: 0, crossed_cache_reads: 0, jobs_lost: 0, jobs_doubled: 0 };

async function played(scenario: string): Promise<{ readonly summary: CutoverSummary; readonly said: string }> {
  const { code, stdout, stderr } = await startSluice(["demo", "--scenario", scenario, "--json"]).finished;
  const last = stdout.trim().split("\n").at(-1) ?? "";
  const { ok, cutovers } = JSON.parse(last) as { ok: boolean; cutovers: readonly CutoverSummary[] };
  const [summary] = cutovers;
  expect([code, ok, summary?.scenario], stdout + stderr).toEqual([0, true, scenario]);
  return { summary: summary as CutoverSummary, said: stdout };
}

/** Each takes a minute. */
const TODAY = inTurn(SCENES, 1).map(({ name }) => name);
const isDue = (name: string): boolean => TODAY.includes(name);

describe("sluice demo of a cutover, in real processes", () => {
  it.runIf(isDue("bluegreen"))(
    "bluegreen: moves everything and takes it back by one command",
    async () => {
      const { summary } = await played("bluegreen");
      expect(summary).toMatchObject({ phase: "returned", refused_writes: 0, ...CLEAN });
      expect(summary.candidate_requests).toBeGreaterThan(0);
    },
    400_000,
  );

  it.runIf(isDue("bluegreen-poisoned"))(
    "bluegreen-poisoned: the questions stop it before a user meets it",
    async () => {
      const { summary } = await played("bluegreen-poisoned");
      expect(summary).toMatchObject({ phase: "returned", candidate_requests: 0, flip_ms: null, ...CLEAN });
      expect(summary.cause).toMatch(/^ask-questions failed: .*coverage/);
    },
    400_000,
  );

  it.runIf(isDue("bluegreen-late-writer"))(
    "bluegreen-late-writer: the store refuses a token that is over, and what was due is done once",
    async () => {
      const { summary, said } = await played("bluegreen-late-writer");
      expect(summary).toMatchObject({ phase: "done", refused_writes: 1, ...CLEAN });
      expect(said).toContain("green's scheduler sent the digest of the day");
      expect(said).toContain("refused by the store");
    },
    400_000,
  );

  it.runIf(isDue("bluegreen-alias-lag"))(
    "bluegreen-alias-lag: what the store acknowledged is read back until readers see it",
    async () => {
      const { summary } = await played("bluegreen-alias-lag");
      expect(summary).toMatchObject({ phase: "done", ...CLEAN });
      expect(summary.candidate_requests).toBeGreaterThan(0);
    },
    400_000,
  );

  it.runIf(isDue("bluegreen-alias-never"))(
    "bluegreen-alias-never: what cannot be read back is not done, and everything goes back by itself",
    async () => {
      const { summary } = await played("bluegreen-alias-never");
      expect(summary).toMatchObject({ phase: "returned", candidate_requests: 0, ...CLEAN });
      expect(summary.cause).toMatch(/^swap-index failed: .*docs_live points to docs_va/);
    },
    400_000,
  );

  it("has a test here for every scene there is", () => {
    const told = ["", "-poisoned", "-late-writer", "-alias-lag", "-alias-never"].map((end) => `bluegreen${end}`);
    expect(SCENES.map(({ name }) => name)).toEqual(told);
  });
});
