import { describe, expect, it } from "vitest";
import { LOGS, type LoggedRequest, requests } from "../../bench/logs/lines.mjs";
import { LOG_FORMATS } from "../../src/cli/judge/format/formats.ts";
import { LineReader } from "../../src/cli/judge/line-reader.ts";
import { LogJudge } from "../../src/cli/judge/log-judge.ts";
import { rulesOfPreset } from "../../src/cli/judge/rules.ts";
import { ArmNames } from "../../src/core/trace/arm-names.ts";
import { EventJudge } from "../../src/core/trace/event-judge.ts";
import type { TraceJudgement } from "../../src/core/trace/judgement.ts";

const RULES = { ...rulesOfPreset("default"), holdMs: 0, splitBp: null, probes: null, isTraceOnly: true };
const PRODUCTS = Object.keys(LOG_FORMATS);
type Names = ConstructorParameters<typeof ArmNames>[0];

function judged(product: string, text: string, armField: string | null = null, names: Names = []): TraceJudgement {
  const format = LOG_FORMATS[product]?.() ?? null;
  const events = new EventJudge(RULES, new ArmNames(names));
  const taker = format === null ? events : new LogJudge(events, format, armField === null ? null : [armField]);
  const reader = new LineReader(taker, format?.lines);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 1_000) reader.push(bytes.subarray(at, at + 1_000));
  reader.end();
  return taker.finish();
}

function logOf(product: string, seen: readonly LoggedRequest[], end = "\n"): string {
  const log = LOGS[product];
  return [log?.header, ...seen.map((request) => log?.lineOf(request))].filter((line) => line != null).join(end) + end;
}

const told = ({ verdicts }: TraceJudgement, without: readonly string[] = []) =>
  verdicts.filter(({ gate }) => !without.includes(gate)).map(({ gate, kind, reason }) => [gate, kind, reason]);

describe.each(PRODUCTS)("the access log of %s", (product) => {
  const hasLatency = LOGS[product]?.hasLatency !== false;
  const healthy = [...requests({ count: 12_000 })];
  const broken = [...requests({ count: 12_000, errors: 0.2 })].map((request) => {
    return request.arm === "stable" ? { ...request, status: 200 } : request;
  });

  it.each([
    ["healthy", healthy],
    ["broken", broken],
    ["slow", [...requests({ count: 12_000, slow: hasLatency ? 3 : 1 })]],
  ])("is judged as the wide events of the same %s requests are", (_, seen) => {
    const without = ["parity", ...(hasLatency ? [] : ["p95-warm"])]; // Only our own events tell what an arm consists of.
    const [own, log] = [judged("events", logOf("events", seen)), judged(product, logOf(product, seen))];
    expect(told(log, without)).toEqual(told(own, without));
    expect(log.counts).toMatchObject({ malformed: 0, unread: {}, repeated: 0, lines: own.counts.lines });
  });

  it("is read with CRLF and a broken line, which is told with its place", () => {
    const few = healthy.slice(0, 300);
    const lines = logOf(product, few, "\r\n").split(/\r?\n/);
    lines.splice(150, 0, "{not a line");
    const headerLines = lines.filter((line) => line.startsWith("#")).length;
    const { counts } = judged(product, lines.join("\r\n"));
    expect([counts.lines, counts.malformed, counts.firstMalformed?.line]).toEqual([
      lines.length - 1 - headerLines,
      1,
      151,
    ]);
  });

  it("counts what was delivered twice once", () => {
    const few = healthy.slice(0, 300);
    const twice = few.flatMap((request) => [request, request]);
    const [once, doubled] = [judged(product, logOf(product, few)), judged(product, logOf(product, twice))];
    expect(doubled.counts.repeated).toBe(300);
    expect(told(doubled)).toEqual(told(once));
  });
});

describe("a line of another shape than its product writes", () => {
  it.each([
    ["otlp", '{"resourceSpans":[null]}'],
    ["otlp", '{"resourceSpans":[{"scopeSpans":7}]}'],
    ["otlp", '{"resourceSpans":[{"scopeSpans":[{"spans":"none"}]}]}'],
    ["otlp", '{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":2,"attributes":7}]}]}]}'],
    ["otlp", '{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":2,"attributes":[{"key":{"toString":1}}]}]}]}]}'],
    ["envoy", '{"http_logs":{"log_entry":[null]}}'],
    ["envoy", '{"common_properties":{"start_time":{"seconds":{"valueOf":1}}}}'],
    ["vercel", '[{"proxy":{"statusCode":200}},7]'],
  ])("is told and ends nothing: %s %s", (product, line) => {
    const few = logOf(product, [...requests({ count: 300 })]);
    const { counts } = judged(product, `${line}\n${few}`);
    expect(counts.firstMalformed?.line).toBe(1);
    expect(counts.lines - counts.malformed).toBe(300);
  });
});

describe("the arm in an access log", () => {
  const line = (over: object) => JSON.stringify({ msec: 1_756_339_200.5, status: 200, request_time: 0.1, ...over });

  it("comes from the field a person names, through the names they give", () => {
    const text = `${line({ pool: "green" })}\n${line({ pool: "blue" })}\n`;
    const names: Names = [
      ["green", "candidate"],
      ["blue", "stable"],
    ];
    expect(judged("nginx", text, "pool", names).counts.malformed).toBe(0);
    const { counts } = judged("nginx", text);
    expect(counts.firstMalformed).toEqual({
      line: 1,
      reason: "found arm undefined, expected stable or candidate; give other names with --arm-map",
    });
  });
});

describe("what access logs say of a failure", () => {
  const classesOf = (product: string, record: object) => {
    const found: unknown[] = [];
    LOG_FORMATS[product]?.().read(record as never, null, (event) => {
      const { stage, family, code } = event.error_class ?? {};
      found.push(stage === undefined ? event.status : `${stage}|${family}|${code}`);
    });
    return found;
  };

  it.each([
    ["haproxy", { tsc: "SC--", status: -1 }, "connect|network|aborted"],
    ["haproxy", { tsc: "sH--", status: 504 }, "headers|timeout|timeout"],
    ["haproxy", { tsc: "SD--", status: 200 }, "body|network|aborted"],
    ["haproxy", { tsc: "cD--", status: 200 }, 499],
    ["haproxy", { tsc: "----", status: 200 }, 200],
    ["envoy", { response_flags: "UF,URX", response_code: 503 }, "connect|network|UF"],
    ["envoy", { response_flags: "DC", response_code: 0 }, 499],
    ["envoy", { response_flags: "-", response_code: 200 }, 200],
    [
      "envoy",
      { commonProperties: { responseFlags: { upstreamRequestTimeout: true } }, response: { responseCode: 504 } },
      "headers|timeout|UT",
    ],
    ["vercel", { proxy: { statusCode: -1 } }, "headers|network|crashed"],
    ["cloudfront", { "sc-status": "000" }, 499],
    ["cloudflare", { EdgeResponseStatus: 0 }, 499],
    ["alb", { elb_status_code: "460", target_group_arn: "x" }, 499],
  ])("is read from %s: %j", (product, record, expected) => {
    expect(classesOf(product, record)).toEqual([expected]);
  });

  it("is the status of a gRPC or plain server span in OpenTelemetry, and spans of clients are passed over", () => {
    const span = (attributes: object[], over: object = {}) => ({ kind: 2, attributes, ...over });
    const spans = [
      span([{ key: "rpc.grpc.status_code", value: { intValue: "14" } }]),
      span([{ key: "rpc.grpc.status_code", value: { intValue: "0" } }]),
      span([{ key: "error.type", value: { stringValue: "timeout" } }], { status: { code: "STATUS_CODE_ERROR" } }),
      span([], { kind: "SPAN_KIND_SERVER" }),
      span([], { kind: 3 }),
    ];
    const record = { resourceSpans: [{ scopeSpans: [{ spans }] }] };
    expect(classesOf("otlp", record)).toEqual(["headers|grpc|14", 200, "headers|other|timeout", 200]);
  });

  it("passes over records that are no request and counts them", () => {
    const text = `${JSON.stringify({ message: "hello", source: "lambda" })}\n[{"message":"a"},{"message":"b"}]\n`;
    expect(judged("vercel", text).counts).toMatchObject({ lines: 0, malformed: 0, skipped: 3 });
  });
});
