import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSluice, temporaryFolder } from "./run-sluice.ts";
import { sluiceInProcess } from "./sluice-in-process.ts";
import { ndjson, traceEvents } from "./trace-events.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

async function document(gates: string, steps: string): Promise<string> {
  const path = join(folder.path, "rollout.yaml");
  const text = `apiVersion: sluice/v1
kind: Rollout
metadata: { name: desk-2 }
spec:
  service: desk
  stable: { url: "http://127.0.0.1:4001/answer" }
  candidate: { url: "http://127.0.0.1:4002/answer" }
  route: { driver: gateway, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: { canary: { steps: [${steps}], watch: 1m } }
  gates: [${gates}]
`;
  await writeFile(path, text);
  return path;
}

describe("sluice plan", () => {
  it("refuses a gate that can never decide with exit 2, says where and what would help", async () => {
    const path = await document("{ use: default }", "{ weight: 1, hold: 15m, cap: 1h }, { weight: 50, hold: 10m }");
    const { code, stdout, stderr } = await runSluice(["plan", path, "--rps", "2"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /E201 .*rollout\.yaml:9:\d+ {2}error-rate cannot decide at 1 %: it needs \d+ candidate requests/,
    );
    expect(stderr).toContain("fix: a longer cap, a higher share, or a wider margin");
    expect(stdout).toContain("a healthy candidate never reaches 100 % without a person");
    expect((await runSluice(["plan", path, "--rps", "200"])).code).toBe(0);
  });

  it("announces the whole rollout: budget, time to 100 %, what a bad candidate costs", async () => {
    const path = await document("{ use: default }", "{ weight: 5, hold: 5m }, { weight: 50, hold: 5m }");
    const { code, stdout } = await runSluice(["plan", path, "--rps", "100", "--json"]);
    const { rollout } = JSON.parse(stdout) as { rollout: Record<string, Record<string, number>> };
    expect(code).toBe(0);
    expect(rollout["alpha_stop"]).toBeCloseTo(0.003, 6);
    expect(rollout["time_to_100_s"]?.["expected"]).toBe(600);
    const exposed = rollout["candidate_requests_exposed"] ?? {};
    expect(exposed["dead"]).toBeLessThan(20);
    expect(exposed["errors_4x"]).toBeGreaterThan(exposed["dead"] ?? 0);
    expect(exposed["slower_40"]).toBeGreaterThan(100);
  });

  it("names the gate that is proven last by the peaks of the latency, and refuses peaks that are no whole", async () => {
    const path = await document("{ use: default }", "{ weight: 25, hold: 10s, cap: 2h }");
    const cached = ["--latency-peaks", "0.945:40ms:0.4,0.055:2s:0.3"];
    const one = await sluiceInProcess("plan", path);
    expect(one.stdout).toMatch(/25 % +hold 10s, proof about \d+ s \(error-rate\)/);
    expect(one.stdout).toContain("latency of one peak (--latency-peaks), sigma 0.5 (--latency-sigma)");
    const two = await sluiceInProcess("plan", path, ...cached);
    expect(two.stdout).toMatch(/25 % +hold 10s, proof about \d+ s \(p95-warm\)/);
    expect(two.stdout).toContain("latency 94.5 % around 40 ms, sigma 0.4; 5.5 % around 2000 ms, sigma 0.3");
    const [json, plain] = [
      await sluiceInProcess("plan", path, "--json", ...cached),
      await sluiceInProcess("plan", path, "--json"),
    ];
    const peaksOf = (text: string) =>
      (JSON.parse(text) as { assumed: { latency_peaks: unknown } }).assumed.latency_peaks;
    expect(peaksOf(json.stdout)).toEqual([
      { share: 0.945, median_ms: 40, sigma: 0.4 },
      { share: 0.055, median_ms: 2_000, sigma: 0.3 },
    ]);
    expect(peaksOf(plain.stdout)).toBeNull();
    for (const [wrong, said] of [
      ["0.9:40ms:0.4", "sum to 0.9"],
      ["0.5:40ms,0.5:1s:0.3", "share:median:sigma"],
      ["0.5:40:0.3,0.5:1s:0.3", "with its unit"],
    ] as const) {
      const { code, stderr } = await sluiceInProcess("plan", path, "--latency-peaks", wrong);
      expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
    }
  });

  it("warns of a literal limit that stops healthy candidates by chance", async () => {
    const path = await document("{ use: shaping-strict }", "{ weight: 25, hold: 10m }");
    const { stderr } = await runSluice(["plan", path, "--rps", "100"]);
    expect(stderr).toContain("W202");
    expect(stderr).toMatch(
      /five-xx-delta reads its limit literally: at 25 % one look stops a healthy candidate in 35 %/,
    );
  });
});

describe("sluice simulate", () => {
  const steps = "{ weight: 20, hold: 2m }, { weight: 50, hold: 2m }";

  it("tells a healthy from harmful candidates, with standard errors, the same for the same seed", async () => {
    const path = await document("{ use: default }", steps);
    const argv = ["simulate", "--policy", path, "--rps", "50", "--runs", "5", "--seed", "3", "--json"];
    const [first, second] = await Promise.all([runSluice(argv), runSluice(argv)]);
    const lines = first.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect([first.code, second.stdout]).toEqual([0, first.stdout]);
    expect(lines.map(({ scenario }) => scenario)).toEqual(["healthy", "dead", "errors-2", "slow-40"]);
    expect(lines[0]).toMatchObject({
      runs: 5,
      false_abort: { value: 0, standard_error: expect.any(Number) },
      false_promote: null,
    });
    expect(lines[1]).toMatchObject({ false_abort: null, false_promote: { value: 0 }, time_to_100_s: null });
    expect(lines[0]?.["time_to_100_s"]).toMatchObject({ p50: expect.any(Number) });
  }, 60_000);

  it("draws from recorded events instead of a model", async () => {
    const path = await document("{ use: default }", steps);
    const trace = join(folder.path, "trace.ndjson");
    const events = traceEvents({ seconds: 60, perSecond: 40 }).filter((event) => event["arm"] === "stable");
    await writeFile(trace, ndjson(events));
    const argv = ["simulate", "--policy", path, "--traffic", trace, "--scenario", "healthy", "dead", "new-class"];
    const { code, stdout, stderr } = await runSluice([...argv, "--runs", "3"]);
    expect(code).toBe(0);
    expect(stderr).toContain("60 recorded seconds");
    expect(stdout).toMatch(/healthy {8}aborted 0\.0 % ± 23\.1 .*at 100 % after/);
    expect(stdout).toMatch(/dead {11}promoted 0\.0 %/);
    expect(stderr).toContain("new-class      not rehearsed over a recording");
  }, 60_000);

  it.each([
    [["--scenario", "errors-3"], 'unknown scenario "errors-3"; did you mean'],
    [["--traffic", "/nowhere.ndjson"], "cannot read /nowhere.ndjson (ENOENT)"],
  ])("refuses %j with exit 2", async (more, message) => {
    const path = await document("{ use: default }", steps);
    const { code, stderr } = await runSluice(["simulate", "--policy", path, ...more]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it("refuses a recording with a line that is neither an event nor a window, and says which", async () => {
    const path = await document("{ use: default }", steps);
    const trace = join(folder.path, "bad.ndjson");
    await writeFile(trace, '{"ts":"2026-01-01T00:00:00Z","arm":"stable","status":200}\n{"hello":1}\n');
    const { code, stderr } = await runSluice(["simulate", "--policy", path, "--traffic", trace]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("bad.ndjson:2  found ts")]);
  });
});
