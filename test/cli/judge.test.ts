import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JudgeAnswer } from "../../src/cli/answer/judge-answer.ts";
import { readProbeResults } from "../../src/cli/judge/probe-results.ts";
import type { ProbeReport } from "../../src/core/measure/report.ts";
import { createRecorder } from "../../src/core/window/recorder.ts";
import { randomStream } from "../../src/core/stats/random.ts";
import { bp, epochMs } from "../../src/core/unit.ts";
import { toWire } from "../../src/probe/wire.ts";
import { handbook, probeFakes } from "../probe/world.ts";
import { MAIN, temporaryFolder } from "./run-sluice.ts";
import { sluiceInProcess as sluice } from "./sluice-in-process.ts";
import { ndjson, START_MS, traceEvents } from "./trace-events.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let written = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

async function file(content: string | Uint8Array): Promise<string> {
  const path = join(folder.path, `${++written}.ndjson`);
  await writeFile(path, content);
  return path;
}

async function judged(content: string | Uint8Array, ...argv: string[]): Promise<{ code: number; answer: JudgeAnswer }> {
  const { code, stdout, stderr } = await sluice("judge", "--json", "--trace", await file(content), ...argv);
  if (stdout === "") throw new Error(`exit ${code}: ${stderr}`);
  return { code, answer: JSON.parse(stdout) as JudgeAnswer };
}

const TRACE_ONLY = ["--only", "trace", "--hold", "0s"];

describe("sluice judge --trace", () => {
  it("passes a healthy trace with exit 0, by the shape of the contract", async () => {
    const { code, answer } = await judged(ndjson(traceEvents({ seconds: 60 })), ...TRACE_ONLY);
    expect([code, answer.verdict, answer.decided_at_event, answer.decided_by]).toEqual([0, "pass", null, null]);
    expect(answer).toMatchObject({ srm: null, events: 12_000, late: 0, malformed: 0, malformed_first: null });
    expect(answer.gates.find(({ gate }) => gate === "error-rate")).toEqual({
      gate: "error-rate",
      verdict: "pass",
      estimate: expect.closeTo(0, 2),
      interval: [expect.any(Number), expect.any(Number)],
      samples: { stable: expect.any(Number), candidate: answer.candidate_events_until_decision },
      threshold: 0.005,
      alpha: 0.001,
      e_value: expect.any(Number),
      reason: expect.stringContaining("is excluded"),
      needs: null,
    });
  });

  it("reads the event that docs/judge.md shows, and says what reads a product's log", async () => {
    const [, event = ""] = /```json event\n([^]*?)```/.exec(await readFile("docs/judge.md", "utf8")) ?? [];
    expect((await judged(event, ...TRACE_ONLY)).answer).toMatchObject({ events: 1, malformed: 0 });
    const nginx = `${JSON.stringify({ msec: "1764388800.000", status: "200", request_time: "0.050" })}\n`;
    const { stderr } = await sluice("judge", "--trace", await file(nginx), ...TRACE_ONLY);
    expect(stderr).toContain("--format");
  });

  it("holds a healthy trace with exit 11 while its stage would still hold, and while probes are missing", async () => {
    const trace = ndjson(traceEvents({ seconds: 60 }));
    const short = await judged(trace, "--only", "trace");
    expect([short.code, short.answer.verdict]).toEqual([11, "inconclusive"]);
    const unprobed = await judged(trace, "--hold", "0s");
    expect([unprobed.code, unprobed.answer.verdict]).toEqual([11, "no-data"]);
    expect(unprobed.answer.gates.find(({ gate }) => gate === "coverage")?.verdict).toBe("no-data");
  });

  it.each([
    ["error-rate", { errors: 0.2 }, 14_000],
    ["p95-warm", { slow: 2 }, 23_000], // Latency has to outlast the swings an arm may have by itself.
    ["new-error-class", { cutBodies: 0.01 }, 14_000],
  ] as const)("fails with exit 10 by %s soon after the step at event 8000, and reads no further", async (...row) => {
    const [gate, harm, before] = row;
    const events = traceEvents({ seconds: 120, harmFromS: 40, ...harm });
    const { code, answer } = await judged(ndjson(events), ...TRACE_ONLY);
    expect([code, answer.verdict, answer.decided_by]).toEqual([10, "fail", gate]);
    expect(answer.decided_at_event).toBeGreaterThan(8_000);
    expect(answer.decided_at_event).toBeLessThan(before);
    expect(answer["events"]).toBe(answer.decided_at_event);
    const atMs = Date.parse(answer.decided_at_ts ?? "");
    expect(atMs).toBeGreaterThan(START_MS + 40_000);
    const exposed = events.filter(({ ts, arm }) => ts < atMs && arm === "candidate");
    expect(answer.candidate_events_until_decision).toBe(exposed.length);
  });

  it("reads literally when told to: the estimate of the stage alone stops", async () => {
    const trace = ndjson(traceEvents({ seconds: 40, errors: 0.008 }));
    const sequential = await judged(trace, ...TRACE_ONLY);
    expect([sequential.code, sequential.answer.verdict]).toEqual([11, "inconclusive"]);
    const literal = await judged(trace, ...TRACE_ONLY, "--mode", "literal");
    expect([literal.code, literal.answer.decided_by]).toEqual([10, "error-rate"]);
  });

  it("tests an ordered split: exit 1 when units do not follow it", async () => {
    const trace = ndjson(traceEvents({ seconds: 60, share: 0.1 }));
    const right = await judged(trace, ...TRACE_ONLY, "--split", "9000:1000");
    expect([right.code, right.answer.srm?.ok]).toEqual([0, true]);
    const wrong = await judged(trace, ...TRACE_ONLY, "--split", "8000:2000");
    expect([wrong.code, wrong.answer.verdict, wrong.answer.srm?.ok]).toEqual([1, "error", false]);
  });

  it("takes CRLF, a byte order mark, no final newline and a line of 64 KB for the same trace", async () => {
    const events = traceEvents({ seconds: 30 });
    const plain = await judged(ndjson(events), ...TRACE_ONLY);
    const long = events.map((event, i) => (i === 100 ? { ...event, note: "é".repeat(32_768) } : event));
    const odd = `\ufeff${ndjson(long).replaceAll("\n", "\r\n").trimEnd()}`;
    expect((await judged(odd, ...TRACE_ONLY)).answer).toEqual(plain.answer);
  });

  it("counts malformed lines with the first of them: 1 % is tolerated, more is exit 1", async () => {
    const rows = traceEvents({ seconds: 60 }).map((event) => JSON.stringify(event));
    const spoiled = (every: number) => rows.map((row, i) => (i % every === 49 ? row.slice(0, -5) : row)).join("\n");
    const few = await judged(spoiled(100), ...TRACE_ONLY);
    expect([few.code, few.answer["malformed"]]).toEqual([0, 120]);
    const many = await judged(spoiled(90), ...TRACE_ONLY);
    expect([many.code, many.answer.verdict]).toEqual([1, "error"]);
    expect(many.answer["malformed_first"]).toEqual({ line: 50, reason: expect.stringContaining("JSON") });
  });

  it("is an error for arms nobody named, with the option that names them", async () => {
    const green = ndjson(traceEvents({ seconds: 60 }))
      .replaceAll('"candidate"', '"green"')
      .replaceAll('"stable"', '"blue"');
    const unnamed = await judged(green, ...TRACE_ONLY);
    expect([unnamed.code, unnamed.answer.verdict]).toEqual([1, "error"]);
    expect(JSON.stringify(unnamed.answer["malformed_first"])).toMatch(/--arm-map/);
    const named = await judged(green, ...TRACE_ONLY, "--arm-map", "green=candidate,blue=stable");
    expect([named.code, named.answer.verdict]).toEqual([0, "pass"]);
  });

  it("has no data in an empty file: exit 11", async () => {
    const { code, answer } = await judged("");
    expect([code, answer.verdict, answer["events"]]).toEqual([11, "no-data", 0]);
  });

  it("says what it found to a person as well", async () => {
    const path = await file(ndjson(traceEvents({ seconds: 30, errors: 0.3 })));
    const { code, stdout } = await sluice("judge", "--trace", path, ...TRACE_ONLY);
    expect(code).toBe(10);
    expect(stdout).toMatch(/^fail +error-rate: errors /m);
    expect(stdout).toMatch(/^FAIL: \d+ lines read.* decided by error-rate at event \d+/m);
  });
});

describe("what sluice judge tells a person", () => {
  const told = async (content: string, ...argv: string[]) =>
    sluice("judge", "--trace", await file(content), ...TRACE_ONLY, ...argv);
  const unnamed = (share: number) => traceEvents({ seconds: 30, share }).map((event) => ({ ...event, sticky: null }));

  it("has no data for the split of a trace that names no user, and says so of all of it", async () => {
    const { code, stdout } = await told(ndjson(unnamed(0.2)), "--split", "8000:2000");
    expect(code).toBe(11);
    expect(stdout).toContain("none of 6000 requests has sticky, so the split of users cannot be checked");
    expect(stdout).toMatch(/^no-data +split: no event names its user \(`sticky`\), so the split cannot be tested$/m);
    expect(stdout).not.toMatch(/went to stable|0 of 0|not as ordered/);
  });

  it("gives the trace's own share beside the stage's whose hold and margins judge it", async () => {
    const { stdout } = await told(ndjson(traceEvents({ seconds: 30, share: 0.45 })));
    expect(stdout).toMatch(/ of a stage at 50 % \(4\d\.\d % of the first \d+ requests are the candidate's\)/);
  });

  it("says why it read on after the event that decided, and what no other gate needs any more", async () => {
    const rows = traceEvents({ seconds: 120, harmFromS: 40, errors: 0.5 }).map((event) => JSON.stringify(event));
    const stopped = await told(rows.join("\n"));
    expect(stopped.stdout).toMatch(/^FAIL: (\d+) lines read.* at event \1; what follows is not judged$/m);
    expect(stopped.stdout).not.toContain("; needs");
    const early = traceEvents({ seconds: 120, errors: 0.5 });
    expect((await told(ndjson(early))).stdout).toMatch(
      /^FAIL: (\d+) lines read.* at event \d+, known once its share was clear at line \1; what/m,
    );
    const spoiled = await told([...Array(40).fill("a banner"), ...rows.slice(8_000)].join("\n"));
    expect(spoiled.stdout).toMatch(/at line 4000, with at most 1 % of the lines unreadable; what follows/);
  });

  it("names unreadable lines once, and what an empty comparison needs as a person would", async () => {
    const all = await told("a banner\n");
    expect(all.stderr.match(/lines could not be read/g)).toHaveLength(1);
    expect(all.stdout).toContain("needs a trace of which at most 1 % of the lines cannot be read");
    const few = await told(ndjson(traceEvents({ seconds: 1, perSecond: 2, share: 0 })));
    expect(few.stdout).toContain("needs requests that the candidate answers");
    expect(few.stdout).toContain("needs warm answers of both arms");
  });
});

describe("the pages' sample events", () => {
  const samples = {
    // As the pages print them.
    "000": `{ "ts": "2025-08-28T04:00:00Z", "route": "chat.rag.answer", "color": "green", "sticky": "h21", "region": "eu-west", "edge_pop": "cdg", "INDEX_HASH": "0x9a77", "retrieval": { "metric": "cosine", "analyzer": "bilstem", "ΔS_q_r": 0.36, "coverage": 0.74, "λ_state": "<>" }, "cache": { "prefix": "green:", "hit": true }, "status": 200, "latency_ms": { "tffb": 140, "tusable": 320, "tfinal": 1180 } }\n`,
    "002": `{ "ts": "2025-08-27T06:30:00Z", "route": "chat.rag.answer", "variant": "canary-v2", "sticky": "h34", "region": "us-east", "edge_pop": "iad", "cold_start": false, "latency_ms": { "tffb": 160, "tusable": 380, "tfinal": 1320 }, "status": 200, "retrieval": { "k": 10, "metric": "cosine", "analyzer": "bilstem", "INDEX_HASH": "0x9a77", "ΔS_q_r": 0.34, "coverage": 0.76, "λ_state": "<>" }, "cache": { "prefix": "v2-cnr:", "hit": true }, "egress": { "webhook": "billing", "tries": 1, "dedupe_key": "sha256(...)" } }\n`,
  };

  it.each(["000", "002"] as const)("parses the one of page %s as it stands", async (page) => {
    const { code, answer } = await judged(samples[page], "--arm-map", "green=candidate,blue=stable");
    expect([code, answer["events"], answer["malformed"]]).toEqual([11, 1, 0]);
    expect(answer.candidate_events_until_decision).toBe(1);
    const p95 = answer.gates.find(({ gate }) => gate === "p95-warm");
    expect(p95).toMatchObject({ verdict: "no-data", samples: { stable: 0, candidate: 1 } });
  });
});

describe("what sluice judge refuses with exit 2", () => {
  it.each([
    [
      "an unknown preset, with the one meant",
      ["--preset", "defalt"],
      /unknown preset "defalt"; did you mean "default"\?/,
    ],
    ["a split that is no whole", ["--split", "90:10"], /sum to 10000/],
    ["an arm that is none", ["--arm-map", "green=canddate"], /did you mean "candidate"\?/],
    ["a hold without a unit", ["--hold", "60"], /duration with its unit/],
    ["a mode that is none", ["--mode", "loose"], /Allowed choices are literal, sequential/],
    ["gates and a preset at once", ["--gates", "x", "--preset", "default"], /cannot be used with/],
    ["a gates file that is not there", ["--gates", "/nonexistent/gates.yaml"], /cannot read the gates/],
    ["probe results that are not there", ["--probe-results", "/nonexistent/x.json"], /cannot read the probe results/],
  ])("%s", async (_, argv, message) => {
    const { code, stderr } = await sluice("judge", "--trace", await file(""), ...argv);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it("a trace that is not there, and no trace at all", async () => {
    const missing = await sluice("judge", "--trace", join(folder.path, "none.ndjson"));
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("ENOENT")]);
    const none = await sluice("judge");
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("--trace FILE or --windows FILE")]);
  });
});

describe("sluice judge --gates", () => {
  const run = async (gates: string, ...argv: string[]) =>
    judged(ndjson(traceEvents({ seconds: 60, errors: 0.01 })), "--gates", await file(gates), ...TRACE_ONLY, ...argv);

  it("judges by a list of gates alone", async () => {
    const { code, answer } = await run("gates:\n  - gate: error-rate-abs\n    promote: 0.1\n    stop: 0.2\n");
    expect([code, answer.gates.map(({ gate }) => gate)]).toEqual([0, ["error-rate-abs"]]);
    const strict = await run("- gate: error-rate-abs\n  mode: literal\n  promote: 0.005\n  stop: 0.01\n");
    expect([strict.code, strict.answer.decided_by]).toEqual([10, "error-rate-abs"]);
  });

  it("judges by a preset with changes of its own", async () => {
    const { answer } = await run("gates:\n  - use: demo\n  - gate: error-rate\n    minSamples: 100000\n");
    expect(answer.gates.find(({ gate }) => gate === "error-rate")).toMatchObject({ verdict: "inconclusive" });
    expect(answer["not_judged"]).toContain("coverage");
  });

  it("judges by the gates of a whole document", async () => {
    const { answer } = await run(`
apiVersion: sluice/v1
kind: Rollout
metadata: { name: support-rag-7 }
spec:
  service: support-rag
  stable: { url: "http://127.0.0.1:4001/answer", health: null }
  candidate: { url: "http://127.0.0.1:4002/answer", health: null }
  route: { driver: gateway, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: { canary: { steps: [{ weight: 50, hold: 20s }], watch: 10m } }
  gates: [{ use: demo }, { gate: p95-warm, harmRatio: 3 }]
`);
    expect(answer.gates.map(({ gate }) => gate)).toEqual(["error-rate", "new-error-class", "p95-warm"]);
    expect(answer["not_judged"]).toEqual(["sample-ratio"]);
  });

  it("refuses a misspelt option with its place in the list", async () => {
    const gates = await file("gates:\n  - gate: error-rate\n    minSample: 5\n");
    const { code, stderr } = await sluice("judge", "--trace", await file(""), "--gates", gates);
    expect(code).toBe(2);
    expect(stderr).toMatch(/gates\[0\]\.minSample: unknown key "minSample"; did you mean "minSamples"\?/);
  });
});

describe("sluice judge --probe-results", () => {
  let report: ProbeReport;
  beforeAll(async () => {
    const { corpus, gold } = await handbook();
    await probeFakes({ corpus }, { corpus }, { gold, corpus }, (found) => {
      report = found;
    });
  });

  it("turns what `sluice probe --json` printed back into the same report", async () => {
    const printed = JSON.stringify(toWire(report, "pass"));
    const read = await readProbeResults(await file(printed));
    expect(JSON.stringify(toWire(read, "pass"))).toBe(printed);
  });

  it("judges probe gates by them, so that a healthy trace passes", async () => {
    const results = await file(JSON.stringify(toWire(report, "pass")));
    const trace = ndjson(traceEvents({ seconds: 60 }));
    const { code, answer } = await judged(trace, "--hold", "0s", "--probe-results", results);
    const kinds = Object.fromEntries(answer.gates.map(({ gate, verdict }) => [gate, verdict]));
    expect(kinds).toMatchObject({ "schema-violation": "pass", coverage: expect.any(String), "error-rate": "pass" });
    expect(Object.values(kinds)).not.toContain("no-data");
    expect([code, answer.verdict]).toEqual(kinds["coverage"] === "pass" ? [0, "pass"] : [11, "inconclusive"]);
  });

  it("stops at once when the probes have failed", async () => {
    const { corpus, gold } = await handbook();
    const names = corpus.map(({ section }) => section);
    const rename = (section: string) => names[(names.indexOf(section) + 17) % names.length] as string;
    let results = "";
    await probeFakes({ corpus }, { corpus, rename }, { gold, corpus }, (found) => {
      results = JSON.stringify(toWire(found, "fail"));
    });
    const trace = ndjson(traceEvents({ seconds: 60 }));
    const { code, answer } = await judged(trace, "--probe-results", await file(results));
    expect([code, answer.decided_by]).toEqual([10, expect.stringMatching(/^coverage/)]);
    expect(answer.decided_at_event).toBeLessThan(3_000);
  });

  it("refuses results that were changed, and files that are something else", async () => {
    const printed = JSON.stringify(toWire(report, "pass"));
    const run = async (content: string) =>
      sluice("judge", "--trace", await file(""), "--probe-results", await file(content));
    const changed = await run(printed.replace('"self_test":"fired"', '"self_test":"did not fire"'));
    expect([changed.code, changed.stderr]).toEqual([2, expect.stringContaining("it was changed")]);
    const other = await run('{"verdict":"pass"}');
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("sluice probe --json")]);
    expect((await run("nonsense")).code).toBe(2);
  });
});

describe("sluice judge --windows", () => {
  const target = (releaseId: string) => ({
    releaseId,
    endpoints: ["http://127.0.0.1:1"],
    cachePrefix: `${releaseId}:`,
  });

  /** Windows of one gateway at 500 requests a second, half of the users on the candidate. */
  function windows(count: number, errors: number): string {
    const random = randomStream(11);
    const document = {
      version: 1,
      service: "s",
      epoch: 1,
      seq: 0,
      rolloutId: "r",
      candidateBp: bp(5_000),
      allow: [],
      closed: [],
      arms: { stable: target("a1"), candidate: target("b2") },
      sticky: { hash: "v1", seed: 7, ttlMs: 0 },
      identity: { trustedHeaders: [], stickyBy: [] },
      drainMs: 0,
      issuedAt: epochMs(0),
    } as const;
    const recorder = createRecorder({ gatewayId: "g", document, startMs: epochMs(START_MS) });
    let lines = "";
    for (let i = 1; i <= count; i++) {
      for (let k = 0; k < 125; k++) {
        const hash = Math.floor(random() * 2 ** 32);
        const arm = hash < 2 ** 31 ? "candidate" : "stable";
        const slot = recorder.arrive({ arm, reason: "sticky", hash } as Parameters<typeof recorder.arrive>[0]);
        const isFailed = random() < 0.01 + (arm === "candidate" ? errors : 0);
        recorder.record(slot, hash, "warm", 300 + 200 * random(), isFailed ? "headers|5xx|503" : null, START_MS);
      }
      lines += `${JSON.stringify(recorder.cut(epochMs(START_MS + i * 250)))}\n`;
    }
    return lines;
  }

  const run = async (content: string) => {
    const { code, stdout } = await sluice("judge", "--json", "--windows", await file(content), ...TRACE_ONLY);
    return { code, answer: JSON.parse(stdout) as JudgeAnswer };
  };

  it("judges what gateways send: healthy passes, errors fail", async () => {
    const healthy = await run(windows(240, 0));
    expect([healthy.code, healthy.answer.verdict]).toEqual([0, "pass"]);
    expect(healthy.answer["stage"]).toEqual({ share_bp: 5_000, hold_s: 0, held_s: 60 });
    const faulty = await run(windows(240, 0.1));
    expect([faulty.code, faulty.answer.decided_by]).toEqual([10, "error-rate"]);
  });

  it("counts a window once, whatever a gateway repeats", async () => {
    const once = windows(240, 0);
    const rows = once.trimEnd().split("\n");
    const twice = rows.flatMap((row) => [row, row]).join("\n");
    const [first, second] = [await run(once), await run(twice)];
    expect(second.answer.gates).toEqual(first.answer.gates);
    expect([second.code, second.answer["repeated_windows"], second.answer["late"]]).toEqual([0, 240, 0]);
    const gap = await run(rows.filter((_row, i) => i !== 100).join("\n"));
    expect(gap.answer["lost_windows"]).toBe(1);
  });

  it("is an error for lines that are no windows", async () => {
    const { code, answer } = await run(ndjson(traceEvents({ seconds: 1 })));
    expect([code, answer.verdict]).toEqual([1, "error"]);
  });
});

describe("sluice judge --trace -", () => {
  it("reads stdin until it knows, and leaves the rest", async () => {
    const child = spawn(process.execPath, [MAIN, "judge", "--json", "--trace", "-", ...TRACE_ONLY]);
    let stdout = "";
    child.stdout.on("data", (data) => {
      stdout += String(data);
    });
    child.stdin.on("error", () => {}); // The command has left: what is still being written has no reader.
    child.stdin.write(ndjson(traceEvents({ seconds: 60, errors: 0.3 })));
    const [code] = await once(child, "close"); // Ends although stdin stays open.
    const answer = JSON.parse(stdout) as JudgeAnswer;
    expect([code, answer.verdict, answer.decided_by]).toEqual([10, "fail", "error-rate"]);
  });
});
