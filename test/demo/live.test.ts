import { describe, expect, it } from "vitest";
import { startSluice } from "../cli/run-sluice.ts";

interface Summary {
  readonly type: "summary";
  readonly ok: boolean;
  readonly rollouts: readonly Record<string, unknown>[];
}

describe("sluice demo, the first thing the README asks for", () => {
  it("promotes the healthy release, takes the other back, loses no request and moves nobody without a reason", async () => {
    const { code, stdout, stderr } = await startSluice(["demo", "--json"]).finished;
    const { ok, rollouts } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Summary;
    const clean = { failed_by_router: 0, sticky_violations: 0 };
    expect(rollouts, stderr).toMatchObject([
      { scenario: "healthy", outcome: "promoted", ...clean },
      { scenario: "dropped-sections", outcome: "rolled-back", cause: { gate: "coverage" }, ...clean },
    ]);
    expect([ok, code]).toEqual([true, 0]);
  }, 240_000);
});
