import { describe, expect, it } from "vitest";
import { START_MS, type TraceEvent, traceEvents } from "../../../test/cli/trace-events.ts";
import { rulesOfPreset } from "../../cli/judge/rules.ts";
import { ArmNames } from "./arm-names.ts";
import { EventJudge } from "./event-judge.ts";
import type { TraceJudgement } from "./judgement.ts";
import { readFlag, readNumber, readText, UNREADABLE } from "./wire-value.ts";

const RULES = { ...rulesOfPreset("default"), holdMs: 0, splitBp: null, probes: null, isTraceOnly: true };

function judged(events: readonly unknown[], gates = RULES.gates): TraceJudgement {
  const judge = new EventJudge({ ...RULES, gates }, new ArmNames());
  events.some((event, index) => judge.take(event, index + 1));
  return judge.finish();
}

const allGates = [...RULES.gates, ...rulesOfPreset("strictest").gates].filter(
  (setting, index, all) => all.findIndex(({ gate }) => gate === setting.gate) === index,
);
/** A trace whose candidate has slow cold starts, with cache, queue and tool fields. */
const TRACE: readonly TraceEvent[] = traceEvents({ seconds: 30 }).map((event, i) => {
  const isCold = event["arm"] === "candidate" && i % 7 === 0;
  return {
    ...event,
    cold_start: isCold,
    latency_ms: { tfinal: isCold ? 9_000 : 100 + (i % 50) },
    cache: { hit: i % 3 === 0, written_by: event["arm"] },
    queue: { age_p95_ms: 40 },
    trace_id: `t${i}`,
    tool: { name: "search", args_digest: `0x${i}` },
  };
});
const respelled = (change: (event: TraceEvent) => object) => TRACE.map((event) => ({ ...event, ...change(event) }));
const verdictsOf = (judgement: TraceJudgement) =>
  judgement.verdicts.map(({ gate, kind, reason }) => [gate, kind, reason]);

describe("one reading of flags, numbers and texts", () => {
  it.each([
    [[true, "true", "TRUE", " yes ", "1", 1, "on", "t", "Y"], true],
    [[false, "false", "0", 0, "no", "off", "F", "n"], false],
    [[undefined, null, "", "-"], null],
    [["maybe", 2, -1, {}, [], Number.NaN, "truthy"], UNREADABLE],
  ])("reads %j as the flag %s", (values, expected) => {
    for (const value of values) expect(readFlag(value), String(value)).toBe(expected);
  });

  it("reads numbers as JSON and as text, and nothing that only looks like one", () => {
    expect(["12.5", 12.5, "1e3", ".5", "-2", null, "-", ""].map(readNumber)).toEqual([
      12.5,
      12.5,
      1e3,
      0.5,
      -2,
      null,
      null,
      null,
    ]);
    for (const value of ["80ms", "0x10", "1,5", "Infinity", "NaN", Number.POSITIVE_INFINITY, true, {}, [1]])
      expect(readNumber(value), String(value)).toBe(UNREADABLE);
    expect([7, "h7", null, "", true].map(readText)).toEqual(["7", "h7", null, null, "true"]);
    expect(readText({})).toBe(UNREADABLE);
  });

  const plain = judged(TRACE, allGates);
  const word = (flag: unknown) => (flag === true ? "true" : "false");
  const digit = (flag: unknown) => (flag === true ? 1 : 0);
  it.each([
    ["flags as text", (e: TraceEvent) => ({ cold_start: word(e["cold_start"]), probe: "false" })],
    ["flags as digits", (e: TraceEvent) => ({ cold_start: digit(e["cold_start"]), probe: 0, warm: "0" })],
    ["a status as text", (e: TraceEvent) => ({ status: String(e["status"]) })],
    [
      "a latency as text",
      (e: TraceEvent) => ({ latency_ms: { tfinal: String((e["latency_ms"] as { tfinal: number }).tfinal) } }),
    ],
    [
      "a latency that is the total alone",
      (e: TraceEvent) => ({ latency_ms: (e["latency_ms"] as { tfinal: number }).tfinal }),
    ],
    ["seconds", (e: TraceEvent) => ({ ts: e.ts / 1_000 })],
    ["seconds as text", (e: TraceEvent) => ({ ts: String(e.ts / 1_000) })],
    ["nanoseconds as text", (e: TraceEvent) => ({ ts: `${e.ts}000000` })],
    ["ISO 8601", (e: TraceEvent) => ({ ts: new Date(e.ts).toISOString() })],
    [
      "a cache that hit as text",
      (e: TraceEvent) => ({ cache: { ...(e["cache"] as object), hit: word((e["cache"] as { hit: boolean }).hit) } }),
    ],
    [
      "HIT and MISS",
      (e: TraceEvent) => ({
        cache: { ...(e["cache"] as object), hit: (e["cache"] as { hit: boolean }).hit ? "HIT" : "miss" },
      }),
    ],
    ["a queue age as text", () => ({ queue: { age_p95_ms: "40" } })],
    ["numbers for names", () => ({ sticky: 7 })],
  ])("says the same of a trace with %s", (_, change) => {
    const judgement = judged(respelled(change), allGates);
    expect(judgement.counts.unread).toEqual({});
    expect(judgement.counts.malformed).toBe(0);
    expect(verdictsOf(judgement)).toEqual(verdictsOf(plain));
  });
});

describe("a field that is there and cannot be read", () => {
  it.each([
    ["cold_start", { cold_start: "maybe" }, 'found cold_start "maybe", expected true or false'],
    ["latency_ms", { latency_ms: { tfinal: "80ms" } }, 'found latency_ms "80ms", expected a number of milliseconds'],
    ["latency_ms", { latency_ms: [80] }, "found latency_ms a list, expected a number of milliseconds"],
    ["cache", { cache: { hit: "perhaps" } }, 'found cache "perhaps", expected hit: true or false'],
    ["queue", { queue: 40 }, "found queue 40, expected an object"],
    ["queue", { queue: { age_p95_ms: "40 s" } }, 'found queue "40 s", expected age_p95_ms as a number'],
    ["tool", { tool: ["search"] }, "found tool a list, expected an object"],
    ["retrieval", { retrieval: { metric: {} } }, "found retrieval an object, expected a text"],
    ["sticky", { sticky: {} }, "found sticky an object, expected a text"],
  ] as const)("is counted by %s with its first line, and the event counts without it", (field, fields, reason) => {
    const events = TRACE.map((event, i) => (i === 4 || i === 9 ? { ...event, ...fields } : event));
    const { counts, verdicts } = judged(events);
    expect(counts.unread).toEqual({ [field]: { events: 2, line: 5, reason } });
    expect(counts.malformed).toBe(0);
    const samples = verdicts.find(({ gate }) => gate === "error-rate")?.samples;
    expect((samples?.stable ?? 0) + (samples?.candidate ?? 0)).toBe(TRACE.length);
  });

  it("is an error of the gate that needs it, never the absence of data, where no event has a readable one", () => {
    const { kind, verdicts } = judged(respelled(() => ({ latency_ms: { tfinal: "80ms" } })));
    expect(kind).toBe("error");
    expect(verdicts.find(({ gate }) => gate === "p95-warm")).toMatchObject({
      kind: "error",
      reason: `latency_ms cannot be read in ${TRACE.length} of ${TRACE.length} events, first in line 1: found latency_ms "80ms", expected a number of milliseconds`,
    });
  });

  it("keeps a trace from passing when more than 1 % of its events have one", () => {
    const share = (every: number) => {
      return judged(
        traceEvents({ seconds: 60 }).map((event, i) => (i % every === 0 ? { ...event, latency_ms: "fast" } : event)),
      );
    };
    expect(share(1_000).kind).toBe("pass");
    expect(share(50)).toMatchObject({
      kind: "inconclusive",
      needs: expect.stringContaining("latency_ms cannot be read"),
    });
  });
});

describe("repeated deliveries", () => {
  const twice = (events: readonly object[]) => events.flatMap((event) => [event, event]);

  it.each([
    ["an event id", (i: number) => ({ event_id: `e${i}`, trace_id: undefined })],
    ["a trace id", (i: number) => ({ trace_id: `t${i}` })],
    ["a trace and span id", (i: number) => ({ trace_id: "t", span_id: `s${i}` })],
    ["a number", (i: number) => ({ event_id: i })],
  ])("are counted once and told by %s", (_, ids) => {
    const events = TRACE.map((event, i) => ({ ...event, ...ids(i) }));
    const [once, repeated] = [judged(events), judged(twice(events))];
    expect([once.counts.repeated, repeated.counts.repeated]).toEqual([0, TRACE.length]);
    expect(verdictsOf(repeated)).toEqual(verdictsOf(once));
  });

  it("are none where an event of one trace has another time, and unknown without any id", () => {
    const sameTrace = TRACE.map((event, i) => ({
      ...event,
      ts: START_MS + i * 5,
      trace_id: `t${i >> 1}`,
      tool: undefined,
    }));
    expect(judged(sameTrace).counts.repeated).toBe(0);
    const nameless = TRACE.map((event) => ({ ...event, trace_id: undefined }));
    expect(judged(twice(nameless)).counts.repeated).toBe(0);
  });

  it("make no tool loop", () => {
    const gates = allGates.filter(({ gate }) => gate === "tool-loop");
    const thrice = TRACE.flatMap((event) => [event, event, event]);
    expect(judged(thrice, gates).verdicts.map(({ kind }) => kind)).toEqual(["pass"]);
  });
});
