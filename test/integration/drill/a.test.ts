import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause, RegionLab } from "./region-lab.ts";

const CHECKS = `{ pre: [env_parity, index_hash_equal], live: [error_rate, index_hash], post: [contracts_equal] }`;

/** `npm run bench:drill` repeats the drill and tells how long each took; a test runs it once. */
const ROUNDS = Number(process.env["SLUICE_TEST_DRILLS"] ?? 1);

let lab: RegionLab;
const cutoversMs: number[] = [];

beforeAll(async () => {
  lab = await RegionLab.open();
  lab.startUsers();
  await pause(3_000);
}, 120_000);
afterAll(() => (lab as RegionLab | undefined)?.close());

afterAll(() => {
  const sorted = cutoversMs.toSorted((left, right) => left - right);
  const p50 = sorted[Math.floor((sorted.length - 1) / 2)];
  const cut = lab.failures.filter((why) => why.endsWith(": cut")).length;
  const told = `p50 ${p50} ms (goal 5000), max ${sorted.at(-1)} ms (goal 12000, never over 30000)`;
  console.log(`${sorted.length} drills, decision to clean cutover: ${told}`);
  console.log(`${lab.asked} requests, ${lab.failures.length - cut} failed, ${cut} answers cut`);
});

describe("a planned evacuation under 200 requests a second, in processes", () => {
  it.each(Array.from({ length: ROUNDS }, (_, round) => `drill-${round + 1}`))(
    "fails no request, has one writer, is through in time, comes home by shares and proves it: %s",
    async (name) => {
      await lab.must(0, "drill", "run", await lab.drill(name, CHECKS));
      await lab
        .until("users of us-east in eu-west", async () => (await lab.regionNow("us-east")) === "eu-west")
        .catch(async (error: unknown) => {
          const { drill, entries } = await lab.journal(name);
          throw new Error(`${String(error)}: ${drill.phase}, ${drill.cause}, ${JSON.stringify(entries.slice(-6))}`);
        });
      await lab.until("writes in eu-west", async () => {
        const sinceMs = performance.now();
        await pause(200);
        return lab.actedSince(sinceMs).join() === "eu-west";
      });
      // Before the first promotion a service has no region that writes: workers of both act.
      if (cutoversMs.length === 0) lab.overlaps = 0;
      await lab.until("its end", async () => (await lab.status(name)).exit_code !== null, 120_000);
      const { drill, entries, chain } = await lab.journal(name);
      const found = [drill.phase, drill.cause, drill.own_share_bp, drill.writes_in];
      expect(found).toEqual(["succeeded", null, 10_000, "us-east"]);
      expect([lab.failures.slice(0, 5), lab.overlaps]).toEqual([[], 0]);
      expect(await lab.regionNow("us-east")).toBe("us-east");
      const report = JSON.parse(await lab.must(0, "drill", "report", name, "--format", "json")) as {
        report: { rto: { cutover_ms: number }; latencies: unknown[] };
      };
      const { rto } = report.report;
      console.log(`${name}: decision to clean cutover ${JSON.stringify(rto)}`);
      cutoversMs.push(rto.cutover_ms);
      // The drill gives itself up at 30 s, so a longer one has not succeeded. @source DL-6
      expect(rto.cutover_ms).toBeLessThan(30_000);
      expect(report.report.latencies.length).toBeGreaterThan(0);
      expect([entries.length > 20, chain.head.length, chain.signature?.length]).toEqual([true, 64, 128]);
    },
    180_000,
  );
});
