import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JudgeAnswer } from "../../src/cli/answer/judge-answer.ts";
import { randomStream } from "../../src/core/stats/random.ts";
import { temporaryFolder } from "./run-sluice.ts";
import { sluiceInProcess as sluice } from "./sluice-in-process.ts";
import { ndjson, type TraceEvent, traceEvents } from "./trace-events.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let written = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

async function judged(content: string, ...argv: string[]): Promise<JudgeAnswer> {
  const path = join(folder.path, `${++written}.ndjson`);
  await writeFile(path, content);
  const only = ["--preset", "llm", "--only", "trace", "--hold", "0s"];
  const { stdout, stderr } = await sluice("judge", "--json", "--trace", path, ...only, ...argv);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as JudgeAnswer;
}

const verdictOf = ({ gates }: JudgeAnswer, name: string) => gates.find(({ gate }) => gate === name);

/** Events with what a service would say of their answers. */
function told(say: (event: TraceEvent, random: () => number) => Record<string, unknown>, seconds = 60): string {
  const random = randomStream(3);
  return ndjson(traceEvents({ seconds }).map((event) => ({ ...event, ...say(event, random) })));
}

const isCandidate = ({ arm }: TraceEvent) => arm === "candidate";

describe("sluice judge --trace on what answers are told to be", () => {
  it("passes answers alike, by the share and the mean of each signal", async () => {
    const answer = await judged(
      told(
        (_event, random) => ({
          usage: { input_tokens: 500 + 200 * random(), output_tokens: "120", cost: 0.01 * (0.5 + random()) },
          answer: { finish_reason: random() < 0.02 ? "length" : "stop", empty: false },
          feedback: { thumbs_down: random() < 0.01 },
          stream: { abandoned: random() < 0.03, first_token_ms: 200 + 100 * random() },
        }),
        120,
      ),
    );
    const passed = ["refusals", "empty-answers", "truncations", "abandoned-streams", "thumbs-down"];
    const amounts = ["first-token", "cost-per-answer", "input-tokens", "output-tokens"];
    for (const gate of [...passed, ...amounts])
      expect([gate, verdictOf(answer, gate)?.verdict, verdictOf(answer, gate)?.reason]).toEqual([
        gate,
        "pass",
        expect.any(String),
      ]);
    expect([answer.verdict, answer.not_judged]).toEqual(["pass", ["regenerations"]]);
  });

  it("holds for each of them that is worse, and stops for none", async () => {
    const answer = await judged(
      told(
        (event, random) => ({
          usage: { output_tokens: (isCandidate(event) ? 200 : 120) * (0.5 + random()) },
          answer: { finish_reason: random() < (isCandidate(event) ? 0.12 : 0.02) ? "content_filter" : "stop" },
          feedback: { thumbs_down: random() < (isCandidate(event) ? 0.08 : 0.01) },
        }),
        120,
      ),
    );
    for (const gate of ["refusals", "thumbs-down", "output-tokens"]) {
      expect(verdictOf(answer, gate)).toMatchObject({
        verdict: "inconclusive",
        needs: expect.stringContaining("a person"),
      });
      expect(verdictOf(answer, gate)?.reason).toMatch(/more than chance allows|1\.1x is proven/);
    }
    expect([answer.verdict, answer.decided_by]).toEqual(["inconclusive", null]);
    expect(verdictOf(answer, "truncations")?.verdict).toBe("pass");
  });

  it("names what nothing tells as not judged, and is no pass where one arm alone tells", async () => {
    const silent = await judged(told(() => ({}), 10));
    expect(silent.not_judged).toHaveLength(10);
    expect(silent.verdict).toBe("no-data");
    const alone = await judged(told((event) => (isCandidate(event) ? {} : { answer: { refused: false } }), 30));
    expect(verdictOf(alone, "refusals")).toMatchObject({
      verdict: "inconclusive",
      needs: expect.stringContaining("of the candidate"),
    });
  });

  it("tells a word that it cannot read, with its line", async () => {
    const { unread } = await judged(told(() => ({ usage: { cost: "dear" } }), 5));
    expect(unread["usage"]).toMatchObject({ line: 1, reason: 'found usage "dear", expected a number' });
  });
});

/** One request as a server's span with its model calls below, as exporters write them. */
function traceOf(event: TraceEvent, index: number, calls: readonly Record<string, unknown>[]): unknown {
  const nanos = (ms: number) => `${ms}000000`;
  const attribute = (key: string, value: unknown) => ({ key, value });
  const traceId = index.toString(16).padStart(32, "0");
  const span = (spanId: string, kind: number, attributes: readonly unknown[]) => ({
    traceId,
    spanId,
    kind,
    startTimeUnixNano: nanos(event.ts - 50),
    endTimeUnixNano: nanos(event.ts),
    attributes,
  });
  const own = [
    attribute("sluice.arm", { stringValue: event["arm"] }),
    attribute("http.response.status_code", { intValue: "200" }),
  ];
  const below = calls.map((call, at) =>
    span(
      `c${at}`,
      3,
      Object.entries(call).map(([key, value]) => attribute(key, value)),
    ),
  );
  const agent = span("a", 1, [attribute("gen_ai.usage.input_tokens", { intValue: "999999" })]);
  return { resourceSpans: [{ scopeSpans: [{ spans: [...below, agent, span("s", 2, own)] }] }] };
}

describe("spans of model calls", () => {
  it("add up to the request of their trace: tokens of all calls, the reason of the last; an agent's sum is left out", async () => {
    const events = traceEvents({ seconds: 60, perSecond: 50 });
    const lines = events.map((event, index) => {
      const first = {
        "gen_ai.usage.input_tokens": { intValue: "300" },
        "gen_ai.usage.output_tokens": { intValue: "20" },
      };
      const reasons = {
        arrayValue: { values: [{ stringValue: isCandidate(event) && index % 5 < 2 ? "length" : "stop" }] },
      };
      const second = { "gen_ai.usage.input_tokens": { intValue: "500" }, "gen_ai.response.finish_reasons": reasons };
      return traceOf(event, index, [first, second]);
    });
    const answer = await judged(ndjson(lines), "--format", "otlp");
    expect(verdictOf(answer, "input-tokens")?.reason).toContain("input tokens an answer 800 against 800 on stable");
    expect(verdictOf(answer, "output-tokens")?.reason).toContain("20 against 20");
    expect(verdictOf(answer, "truncations")?.reason).toMatch(
      /^truncated answers in (3[5-9]|4\d)\.\d+ % .*more than chance allows/,
    );
  });
});
