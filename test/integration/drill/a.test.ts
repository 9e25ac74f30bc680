import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause, RegionLab } from "./region-lab.ts";

const CHECKS = `{ pre: [env_parity, index_hash_equal], live: [error_rate, index_hash], post: [contracts_equal] }`;

let lab: RegionLab;

beforeAll(async () => {
  lab = await RegionLab.open();
  lab.startUsers();
  await pause(3_000);
}, 120_000);
afterAll(() => (lab as RegionLab | undefined)?.close());

describe("a planned evacuation under 200 requests a second, in processes", () => {
  it("fails no request, has one writer, is through in seconds, comes home by shares and proves it", async () => {
    await lab.must(0, "drill", "run", await lab.drill("drill-a", CHECKS));
    await lab
      .until("users of us-east in eu-west", async () => (await lab.regionNow("us-east")) === "eu-west")
      .catch(async (error: unknown) => {
        const { drill, entries } = await lab.journal("drill-a");
        throw new Error(`${String(error)}: ${drill.phase}, ${drill.cause}, ${JSON.stringify(entries.slice(-6))}`);
      });
    await lab.until("writes in eu-west", async () => {
      const sinceMs = performance.now();
      await pause(200);
      return lab.actedSince(sinceMs).join() === "eu-west";
    });
    lab.overlaps = 0; // Before the first promotion a service has no region that writes: workers of both act.
    await lab.until("its end", async () => (await lab.status("drill-a")).exit_code !== null, 120_000);
    const { drill, entries, chain } = await lab.journal("drill-a");
    const found = [drill.phase, drill.cause, drill.own_share_bp, drill.writes_in];
    expect(found).toEqual(["succeeded", null, 10_000, "us-east"]);
    expect([lab.failures.slice(0, 5), lab.overlaps]).toEqual([[], 0]);
    expect(await lab.regionNow("us-east")).toBe("us-east");
    const report = JSON.parse(await lab.must(0, "drill", "report", "drill-a", "--format", "json")) as {
      report: { rto: { cutover_ms: number; freeze_ms: number; adopt_ms: number }; latencies: unknown[] };
    };
    const { rto } = report.report;
    console.log(`decision to clean cutover ${JSON.stringify(rto)}; ${lab.asked} requests, 0 failed`);
    expect(rto.cutover_ms).toBeLessThan(12_000);
    expect(report.report.latencies.length).toBeGreaterThan(0);
    expect([entries.length > 20, chain.head.length, chain.signature?.length]).toEqual([true, 64, 128]);
  }, 180_000);
});
