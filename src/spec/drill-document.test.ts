import { describe, expect, it } from "vitest";
import { CHECK_NAMES } from "../core/drill/checks.ts";
import { nextTime, openWindow } from "./cron.ts";
import { planDrill, readDrill } from "./drill-document.ts";
import { isProblems } from "./read-rollout.ts";

/** As page 004 has it, to be copied and pasted. */
const PAGE = `{
  "regions": ["us-east", "eu-west"],
  "evacuate": "us-east",
  "promote_survivor": "eu-west",
  "routing": { "mode": "latency", "stick_minutes": 15, "hysteresis_s": 30 },
  "freeze_writes_on_followers": true,
  "checks": {
    "pre": ["env_parity", "index_hash_equal", "queue_empty", "cache_warm"],
    "live": ["p95_latency", "error_rate", "queue_backlog", "ΔS_probe", "λ_state", "index_hash"],
    "post": ["answers_equal", "contracts_equal", "backlog_zero", "cache_rewarmed"]
  },
  "rag_probe": { "k": 10, "dualhome_k": 5, "delta_s_risk": 0.60, "coverage_min": 0.70 },
  "webhook_policy": { "emit_from": "eu-west", "dedupe_key": "sha256(event_id+rev)" },
  "return_to_home": { "rebuild_follower": true, "purge_cache": true, "gradual_weights": [10,30,60,100] }
}`;

const place = (port: number) =>
  `{ url: "http://127.0.0.1:${port}/answer", health: "http://127.0.0.1:${port}/healthz" }`;
const DRILL = `
    regions: [us-east, eu-west]
    evacuate: us-east
    promote_survivor: eu-west
    checks: { pre: [env_parity], live: [p95_latency, index_hash], post: [contracts_equal] }
    return_to_home: { rebuild_follower: false, purge_cache: false }`;
const document = (drill = DRILL, more = "") => `apiVersion: sluice/v1
kind: Drill
metadata: { name: leave-us-east }
spec:
  service: support-rag
  places:
    us-east: ${place(4_001)}
    eu-west: ${place(4_002)}
  drill: ${drill}
${more}`;

const CONTEXT = { generation: 1, documentDigest: "sha256:0", set: null };

function planOf(text: string) {
  const read = readDrill(text);
  if (isProblems(read)) throw new Error(JSON.stringify(read));
  return planDrill(read, CONTEXT);
}

function problemsOf(text: string): readonly string[] {
  const read = readDrill(text);
  if (!isProblems(read)) return [];
  return read.map(({ code, path, at, message, fix }) => `${code} ${at?.line} ${path}: ${message}; ${fix ?? ""}`);
}

describe("the plan of a drill", () => {
  it("is read as page 004 has it, every check by its name", () => {
    const plan = planOf(PAGE);
    expect(plan).toMatchObject({
      evacuate: "us-east",
      survivor: "eu-west",
      routing: { mode: "latency", stickMs: 900_000, hysteresisMs: 30_000 },
      freezesWrites: true,
      probe: { k: 10, dualhomeK: 5, deltaSRisk: 0.6, coverageMin: 0.7 },
      webhook: { emitFrom: "eu-west", dedupeKey: "sha256(event_id+rev)" },
      home: { rebuild: true, purgeCache: true, weightsBp: [1_000, 3_000, 6_000, 10_000] },
      times: { cutoverMs: 30_000 },
    });
    const { pre, live, post } = plan.checks;
    expect([...pre, ...live, ...post]).toEqual(CHECK_NAMES);
  });

  it("has the page's own values where it says nothing", () => {
    const page = JSON.parse(PAGE) as Record<string, unknown>;
    const { regions, evacuate, promote_survivor, webhook_policy } = page;
    const short = JSON.stringify({ regions, evacuate, promote_survivor, webhook_policy });
    expect({ ...planOf(short), documentDigest: "" }).toEqual({ ...planOf(PAGE), documentDigest: "" });
  });

  it("stands in a document beside the places of its regions", () => {
    expect(planOf(document())).toMatchObject({
      drillId: "leave-us-east",
      service: "support-rag",
      regions: [
        { name: "us-east", url: "http://127.0.0.1:4001/answer", nearest: ["eu-west"] },
        { name: "eu-west", nearest: ["us-east"] },
      ],
    });
  });

  it.each([
    ['"us-east", "eu-west"]', '"us-east", "eu-west", "us-east"]', 'E150 2 regions: region "us-east" stands twice'],
    [
      '"evacuate": "us-east"',
      '"evacuate": "us-eats"',
      'E150 3 evacuate: unknown region "us-eats"; did you mean "us-east"',
    ],
    [
      '"promote_survivor": "eu-west"',
      '"promote_survivor": "us-east"',
      'E151 4 promote_survivor: "us-east" is evacuated',
    ],
    ['"emit_from": "eu-west"', '"emit_from": "us-east"', "E152 13 webhook_policy.emit_from: webhooks would leave"],
    ["[10,30,60,100]", "[10,60,30,100]", "E153 14 return_to_home.gradual_weights: found 10, 60, 30, 100"],
    ["[10,30,60,100]", "[10,30]", "E153 14 return_to_home.gradual_weights: found 10, 30"],
    ['"cache_warm"', '"cache_wram"', 'E108 8 checks.pre[3]: unknown value "cache_wram"; did you mean "cache_warm"'],
    ['"evacuate"', '"evacuates": 1, "evacuate"', 'E104 3 evacuates: unknown key "evacuates"; did you mean "evacuate"'],
  ])("is refused at its place, with what to do: %s as %s", (written, instead, told) => {
    const text = PAGE.replace(written, instead);
    expect(text).not.toBe(PAGE);
    expect(problemsOf(text).join("\n")).toContain(told);
  });

  it("is refused when a check, or a step, has nothing to read: the place that lacks it, and the way out", () => {
    const drill = DRILL.replace("[env_parity]", "[queue_empty, cache_warm]")
      .replace("[contracts_equal]", "[answers_equal]")
      .replace("rebuild_follower: false, purge_cache: false", "rebuild_follower: true, purge_cache: true");
    expect(problemsOf(document(drill))).toEqual([
      expect.stringContaining("E155 7 spec.places.us-east: rebuild_follower needs spec.places.us-east.rebuild"),
      expect.stringContaining("E155 7 spec.places.us-east: purge_cache needs spec.places.us-east.cache"),
      expect.stringContaining("E155 13 spec.drill.checks.pre[0]: check queue_empty"),
      expect.stringContaining("needs spec.places.us-east.cache, which is missing; give spec.places.us-east.cache"),
      expect.stringContaining("needs spec.probes, which is missing; give spec.probes, or leave answers_equal out"),
    ]);
  });

  it("is refused when more regions are out of service than may be, or a time is no pattern", () => {
    const more = "  blastRadiusPercent: 40\n  schedule: sometimes\n";
    expect(problemsOf(document(DRILL, more)).join("\n")).toMatch(/E157 .*50 % of them, more than 40 %[^]*E156/);
  });
});

describe("times of drills", () => {
  const at = (text: string) => Date.parse(text);

  it("are patterns in UTC: a window is open from its start for so long", () => {
    const windows = [{ cron: "0 22 * * FRI", forMs: 8 * 3_600_000 }];
    expect(openWindow(windows, at("2026-11-27T21:59:00Z"))).toBeNull();
    expect(openWindow(windows, at("2026-11-28T05:59:00Z"))).toBe(at("2026-11-28T06:00:00Z"));
    expect(openWindow(windows, at("2026-11-28T06:00:00Z"))).toBeNull();
  });

  it("tell when the next one is", () => {
    expect(nextTime("0 3 * * TUE", at("2026-11-30T18:00:00Z"))).toBe(at("2026-12-01T03:00:00Z"));
  });
});
