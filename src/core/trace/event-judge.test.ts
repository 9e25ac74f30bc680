import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rulesOfPreset } from "../../cli/judge/rules.ts";
import { bp } from "../unit.ts";
import { START_MS, type TraceEvent, traceEvents } from "../../../test/cli/trace-events.ts";
import { ArmNames } from "./arm-names.ts";
import { EventJudge } from "./event-judge.ts";
import { EventReader } from "./event-reader.ts";
import type { TraceJudgement, TraceRules } from "./judgement.ts";

const RULES: TraceRules = {
  ...rulesOfPreset("default"),
  holdMs: 0,
  splitBp: null,
  probes: null,
  isTraceOnly: true,
};

function judged(events: readonly unknown[], over: Partial<TraceRules> = {}, names = new ArmNames()): TraceJudgement {
  const judge = new EventJudge({ ...RULES, ...over }, names);
  let line = 0;
  for (const event of events) if (judge.take(event, ++line)) break;
  return judge.finish();
}

const preset = (name: string) => rulesOfPreset(name);
const only = (...gates: string[]) => ({ gates: preset("strictest").gates.filter(({ gate }) => gates.includes(gate)) });
const kinds = (judgement: TraceJudgement) =>
  Object.fromEntries(judgement.verdicts.map(({ gate, kind }) => [gate, kind]));
const event = (over: object = {}) => ({ ts: START_MS, arm: "candidate", status: 200, ...over });

/** Events a second apart with the given fields, on alternating arms. */
function alternating(count: number, fields: (i: number, arm: string) => object): unknown[] {
  return Array.from({ length: count }, (_, i) => {
    const arm = i % 2 === 0 ? "stable" : "candidate";
    return event({ ts: START_MS + i * 10, arm, ...fields(i, arm) });
  });
}

describe("reading events", () => {
  const read = (json: unknown, names = new ArmNames()) => {
    const reader = new EventReader(names);
    return { problem: reader.read(json), reader };
  };

  it("takes the arm from arm, variant or color, through the names that were given", () => {
    const names = new ArmNames([
      ["green", "candidate"],
      ["blue", "stable"],
    ]);
    const armOf = (json: object) => read({ ts: START_MS, status: 200, ...json }, names).reader.arm;
    expect(armOf({ color: "green" })).toBe("candidate");
    expect(armOf({ variant: "blue" })).toBe("stable");
    expect(armOf({ variant: "canary-v2" })).toBe("candidate");
    expect(armOf({ arm: "stable", color: "green" })).toBe("stable");
    expect(read({ ts: START_MS, status: 200, color: "green" }).problem).toMatch(/arm "green".*--arm-map/);
  });

  it.each([
    ["503 without a class", { status: 503 }, "headers|5xx|503"],
    [
      "a class as an object",
      { error_class: { stage: "tool", family: "timeout", code: "ETIMEDOUT" } },
      "tool|timeout|ETIMEDOUT",
    ],
    ["a class as text", { error_class: "body|network|ECONNRESET" }, "body|network|ECONNRESET"],
    [
      "a class that says more than the status",
      { status: 502, error_class: { stage: "connect", family: "network", code: "ECONNREFUSED" } },
      "connect|network|ECONNREFUSED",
    ],
    [
      "a family in capitals and a long code",
      { error_class: { stage: "body", family: "5XX", code: "a long message" } },
      "body|5xx|other",
    ],
    ["a timeout stage", { timeout_stage: "headers" }, "headers|timeout|timeout"],
    ["404", { status: 404 }, null],
    ["null", { error_class: null }, null],
  ])("counts %s as its class", (_, fields, expected) => {
    const { problem, reader } = read(event(fields));
    expect([problem, reader.errorClass]).toEqual([null, expected]);
  });

  it.each([
    ["a list", [], /one JSON object/],
    ["a number", 7, /one JSON object/],
    ["no time", { arm: "stable", status: 200 }, /found ts undefined/],
    ["no arm", { ts: START_MS, status: 200 }, /found arm undefined/],
    ["no status", { ts: START_MS, arm: "stable" }, /found status undefined/],
    ["a status that is none", event({ status: "2xx" }), /found status "2xx"/],
    ["a probe flag that is none", event({ probe: "maybe" }), /found probe "maybe", expected true or false/],
    ["an unknown error stage", event({ error_class: { stage: "dns", family: "network", code: "x" } }), /stage dns/],
  ])("refuses %s and says what it found", (_, json, message) => {
    expect(read(json).problem).toMatch(message);
  });

  it.each([{ probe: true }, { warm: true }, { "x-warm": "true" }, { x_warm: 1 }, { arm: "shadow" }])(
    "leaves %o out of the gates",
    (fields) => {
      const { counts, verdicts, candidateEvents } = judged([event({ status: 503, ...fields })]);
      expect([counts.probes, candidateEvents]).toEqual([1, 0]);
      expect(verdicts.map(({ kind }) => kind)).not.toContain("fail");
    },
  );

  it("keeps cold starts out of warm latency, and answers nobody waited for out of both", () => {
    const latency = { latency_ms: { tfinal: 9_000 } };
    const cold = judged(
      alternating(200, (_, arm) => (arm === "candidate" ? { ...latency, cold_start: true } : latency)),
    );
    expect(kinds(cold)["p95-warm"]).toBe("no-data");
    const gone = judged(alternating(200, (_, arm) => ({ ...latency, status: arm === "candidate" ? 499 : 200 })));
    expect(kinds(gone)["p95-warm"]).toBe("no-data");
  });
});

describe("what a trace says", () => {
  it("is no-data when it is empty", () => {
    const { kind, decidedAt, stage, counts } = judged([]);
    expect([kind, decidedAt, stage, counts.lines]).toEqual(["no-data", null, null, 0]);
  });

  it("passes a healthy trace by the gates it can answer and names the others", () => {
    const judgement = judged(traceEvents({ seconds: 60 }));
    expect([judgement.kind, judgement.needs, judgement.stage?.candidateBp]).toEqual(["pass", null, 5_000]);
    expect(judgement.notJudged).toEqual(["schema-violation", "sample-ratio", "coverage", "delta-s", "lambda"]);
    expect(judgement.decidedAt).toBeNull();
  });

  it("has no data for probe gates, so that nothing passes, unless only the trace is asked", () => {
    const judgement = judged(traceEvents({ seconds: 60 }), { isTraceOnly: false });
    expect(judgement.kind).toBe("no-data");
    expect(kinds(judgement)).toMatchObject({ coverage: "no-data", lambda: "no-data", "error-rate": "pass" });
  });

  it("does not pass before the hold of its stage is over", () => {
    const { kind, needs, stage } = judged(traceEvents({ seconds: 60 }), { holdMs: null });
    expect([kind, stage?.holdMs, stage?.heldMs]).toEqual(["inconclusive", 60 * 60_000, 60_000]);
    expect(needs).toMatch(/^3540 s more traffic/);
  });

  it("fails when the candidate calls a tool a third time with the same arguments in one trace", () => {
    const call = { trace_id: "t1", tool: { name: "search", args_digest: "0x1" } };
    const other = { trace_id: "t2", tool: { name: "search", args_digest: "0x1" } };
    const events = (calls: readonly object[]) => calls.map((fields, i) => event({ ts: START_MS + i, ...fields }));
    const rules = only("tool-loop");
    expect(kinds(judged(events([call, other, call, other]), rules))).toEqual({ "tool-loop": "pass" });
    expect(kinds(judged(events([call, other, call, call]), rules))).toEqual({ "tool-loop": "fail" });
    expect(
      judged(events([{}, {}]), { gates: preset("shaping-strict").gates.filter(({ gate }) => gate === "tool-loop") })
        .verdicts,
    ).toEqual([]);
  });

  it("fails when the candidate reads what the other arm wrote, by arm or by release", () => {
    const write = (writer: string) => [
      event({ arm: "stable", release_id: "a1" }),
      event({ release_id: "b2", cache: { hit: true, written_by: writer } }),
    ];
    const gates = preset("canary-serverless").gates.filter(({ gate }) => gate === "cache-collision");
    const rules = { gates: gates.map(({ gate, options, source }) => ({ gate, options, source })) };
    const kindOf = (writer: string) => kinds(judged(write(writer), rules))["cache-collision"];
    expect(["candidate", "b2", "stable", "a1"].map(kindOf)).toEqual(["pass", "pass", "fail", "fail"]);
  });

  it("compares cache hits and queue ages where events carry them", () => {
    const lookups = judged(
      alternating(2_000, (i, arm) => ({ cache: { hit: arm === "stable" ? i % 4 !== 0 : i % 20 === 1 } })),
      {
        gates: preset("bg-serverless")
          .gates.filter(({ gate }) => gate === "cache-hit-drop")
          .map(({ gate, options, source }) => ({ gate, options, source })),
      },
    );
    expect(lookups.verdicts[0]).toMatchObject({ gate: "cache-hit-drop", samples: { stable: 1_000, candidate: 1_000 } });
    expect(lookups.kind).not.toBe("pass");
    const aged = (perSecondMs: number) =>
      judged(
        Array.from({ length: 400 }, (_, i) =>
          event({ ts: START_MS + i * 1_000, queue: { age_p95_ms: 100 + i * perSecondMs } }),
        ),
        only("queue-age-slope"),
      ).kind;
    expect([aged(0), aged(50)]).toEqual(["pass", "fail"]);
  });

  it("judges parity on what events state, and leaves it out when they state nothing", () => {
    const states = (stable: object, candidate: object) =>
      judged(alternating(100, (i, arm) => ({ retrieval: arm === "stable" ? stable : candidate, x: i })));
    const same = { metric: "cosine", analyzer: "standard" };
    expect(kinds(states(same, { ...same, index_hash: "0xb" }))["parity"]).toBe("pass");
    expect(states(same, { ...same, metric: "l2" })).toMatchObject({ kind: "fail", decidedBy: "parity" });
    expect(kinds(states(same, {}))["parity"]).toBe("no-data");
    expect(states({}, {}).notJudged).toContain("parity");
    const drifting = judged(alternating(100, (i) => ({ INDEX_HASH: i < 50 ? "0xa" : "0xb" })));
    expect(drifting.verdicts.find(({ gate }) => gate === "parity")?.reason).toMatch(/INDEX_HASH 0xa != 0xb/);
  });

  it("tests an ordered split on units, not on requests", () => {
    const events = traceEvents({ seconds: 60, share: 0.1 });
    const ordered = judged(events, { splitBp: bp(1_000) });
    expect(ordered.sampleRatio).toMatchObject({ ok: true });
    expect([ordered.kind, kinds(ordered)["sample-ratio"]]).toEqual(["pass", "pass"]);
    const wrong = judged(events, { splitBp: bp(2_000) });
    expect([wrong.kind, wrong.sampleRatio?.ok]).toEqual(["error", false]);
    const [busy] = events;
    const oneUser = judged([...events, ...Array.from({ length: 20_000 }, () => ({ ...busy, ts: events.at(-1)?.ts }))], {
      splitBp: bp(1_000),
    });
    expect(oneUser.sampleRatio?.ok).toBe(true);
    expect(
      judged(
        alternating(50, () => ({})),
        { splitBp: bp(5_000) },
      ).sampleRatio,
    ).toMatchObject({ lnE: null, ok: false });
    expect(judged(events).sampleRatio).toBeNull();
  });
});

describe("when a trace decides", () => {
  it.each([
    ["error-rate", { errors: 0.2 }, 30],
    ["p95-warm", { slow: 2 }, 75], // Latency has to outlast the swings an arm may have by itself.
    ["new-error-class", { cutBodies: 0.01 }, 30],
  ] as const)("stops at %s soon after the step, with the event that closed the window", (gate, harm, withinS) => {
    const events = traceEvents({ seconds: 120, harmFromS: 40, ...harm });
    const judgement = judged(events);
    expect([judgement.kind, judgement.decidedBy]).toEqual(["fail", gate]);
    const { event: at, atMs } = judgement.decidedAt ?? { event: 0, atMs: 0 };
    expect(at).toBeGreaterThan(40 * 200);
    expect(at).toBeLessThan((40 + withinS) * 200);
    expect(judgement.counts.lines).toBe(at);
    // The deciding window is closed by the first event more than 5 s newer than its end.
    expect((events[at - 1]?.ts ?? 0) - atMs).toBeGreaterThan(5_000);
    expect((events[at - 2]?.ts ?? 0) - atMs).toBeLessThanOrEqual(5_000);
    const upTo = events.filter(({ ts, arm }) => ts < atMs && arm === "candidate");
    expect(judgement.candidateEvents).toBe(upTo.length);
  });

  it("finds the same fuses whether the share was ordered or had to be found out", () => {
    const events = traceEvents({ seconds: 30, perSecond: 50, errors: 0.3 });
    const [found, ordered] = [judged(events), judged(events, { splitBp: bp(5_000) })];
    expect(found.decidedAt?.atMs).toBe(ordered.decidedAt?.atMs);
  });

  it("gives the same answer when events come up to 5 s out of order", () => {
    const sorted = traceEvents({ seconds: 40, perSecond: 40, harmFromS: 15, errors: 0.3 });
    const { decidedAt: decided, counts: _, ...expected } = judged(sorted);
    expect(expected.kind).toBe("fail");
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4_999 }), { minLength: 16, maxLength: 64 }), (delays) => {
        const arrivals = sorted.map((event, i) => ({ event, atMs: event.ts + (delays[i % delays.length] ?? 0) }));
        const shuffled: TraceEvent[] = arrivals.sort((a, b) => a.atMs - b.atMs).map(({ event }) => event);
        const { decidedAt, counts, ...answer } = judged(shuffled);
        expect(counts.late).toBe(0);
        expect(answer).toEqual(expected);
        expect(decidedAt?.atMs).toBe(decided?.atMs);
      }),
      { numRuns: 25 },
    );
  });

  it("counts what comes later than 5 s as late, and does not pass when that is more than 1 %", () => {
    const events = traceEvents({ seconds: 60 });
    const [old] = events;
    const few = judged([...events, old]);
    expect([few.kind, few.counts.late]).toEqual(["pass", 1]);
    const many = judged([...events, ...Array.from({ length: 200 }, () => old)]);
    expect([many.kind, many.counts.late]).toEqual(["inconclusive", 200]);
    expect(many.needs).toMatch(/200 of 12200 events/);
  });

  it("is an error when more than 1 % of the lines cannot be read, with the first of them", () => {
    const events: unknown[] = traceEvents({ seconds: 60 });
    const spoil = (every: number) =>
      events.map((event, i) => (i % every === 9 ? { ...(event as object), arm: "blue" } : event));
    const few = judged(spoil(200));
    expect([few.kind, few.counts.malformed]).toEqual(["pass", 60]);
    const many = judged(spoil(50));
    expect([many.kind, many.decidedBy, many.counts.malformed]).toEqual(["error", null, 240]);
    expect(many.counts.firstMalformed).toMatchObject({ line: 10, reason: expect.stringContaining('arm "blue"') });
  });

  it("waits with a fail until enough lines were read to trust it", () => {
    const events: unknown[] = traceEvents({ seconds: 120, errors: 0.5 });
    const clean = judged(events);
    const banner = Array.from({ length: 40 }, () => "a banner");
    const late = judged([...banner, ...events]);
    expect([late.kind, late.decidedAt?.atMs]).toEqual(["fail", clean.decidedAt?.atMs]);
    expect([clean.counts.lines < 3_000, late.counts.lines]).toEqual([true, 4_000]);
  });
});
