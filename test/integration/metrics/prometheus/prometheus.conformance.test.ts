import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../../src/host/system-clock.ts";
import { epochMs } from "../../../../src/core/unit.ts";
import { prometheus } from "../../../../src/drivers/metrics/prometheus/index.ts";
import type { MetricSource } from "../../../../src/ports/metric-source.ts";
import { type MetricState, type MetricWorld, metricConformance } from "../../../../src/testing/metric-suite.ts";
import { hasPrometheus, type PrometheusServer, startPrometheus, startTarget, type Target } from "./server.ts";

const NOT_MADE = "a healthy server cannot be made to do this; the fake server does";
const WAIVED = {
  "calls refused credentials unauthorized and keeps them out of every text": NOT_MADE,
  "calls an overloaded server unreachable: asking again is safe": NOT_MADE,
  "calls a connection that is closed unreachable: asking again is safe": "the last test here stops the server",
  "gives up on a silent server with timeout: asking again is safe": NOT_MADE,
  "follows no redirect, not even to an address that has the number": NOT_MADE,
  "stops reading an answer that never ends": NOT_MADE,
  "calls a page for people an error, though it came with status 200": NOT_MADE,
};

const now = () => epochMs(Date.now());

/** The exposition of one state under a metric's name. Ages beyond a scrape are written as the sample's own time. */
function exposition(name: string, state: MetricState): string {
  if (state.kind === "not-a-number") return `${name} NaN`;
  if (state.kind === "two") return `${name}{pod="a"} 1\n${name}{pod="b"} 2`;
  if (state.kind !== "number") return "";
  return Math.abs(state.ageMs) > 1_000 ? `${name} ${state.value} ${now() - state.ageMs}` : `${name} ${state.value}`;
}

describe.skipIf(!hasPrometheus())("metrics/prometheus on a real server", () => {
  let target: Target;
  let server: PrometheusServer;
  let source: MetricSource;
  let counter: NodeJS.Timeout;
  let steps = 0;

  /** What the server itself answers: no judgement of ours. */
  async function raw(query: string): Promise<readonly { readonly value: readonly [number, string] }[]> {
    const body = new URLSearchParams({ query });
    const response = await fetch(`${server.url}/api/v1/query`, { method: "POST", body });
    const answer = (await response.json()) as { data: { result: [] } };
    return answer.data.result;
  }
  async function until(query: string, isThere: (value: string | undefined) => boolean): Promise<void> {
    for (let tries = 0; tries < 1_600; tries++) {
      if (isThere((await raw(query))[0]?.value[1])) return;
      await sleep(25);
    }
    throw new Error(`the server did not come to the state awaited of ${query} within 40 s`);
  }
  /** Resolves when everything the target shows now has been scraped. */
  async function scraped(): Promise<void> {
    const step = String(++steps);
    target.lines.set("step", `test_step ${step}`);
    await until("test_step", (value) => value === step);
  }
  const read = (query: string, maxAgeMs = 60_000) => source.read({ query, maxAgeMs }, now());
  const kindOf = async (query: string, maxAgeMs?: number) => (await read(query, maxAgeMs)).kind;

  beforeAll(async () => {
    target = await startTarget();
    server = await startPrometheus(target.address);
    source = prometheus({ url: server.url, clock: systemClock() });
    let count = 0;
    counter = setInterval(() => {
      const requests = `requests_total{code="200"} ${++count}\nrequests_total{code="500"} 1`;
      target.lines.set("counters", `${requests}\nlatency_bucket{le="1"} ${count}\nlatency_bucket{le="+Inf"} ${count}`);
    }, 100);
    target.lines.set("gauges", "temperature 21.5\nzero 0");
    await scraped();
    await until("min(count_over_time(requests_total[1m]))", (count) => Number(count) >= 3); // Enough for rate().
  });
  afterAll(async () => {
    clearInterval(counter);
    await target.stop();
    await server.stop();
  });

  let worlds = 0;
  function world(): MetricWorld {
    return {
      source,
      now,
      secret: null,
      async hold(state) {
        if (state.kind === "refuses-query") return "sum(";
        const name = `suite_${++worlds}`;
        target.lines.set("suite", exposition(name, state));
        await scraped();
        return name;
      },
    };
  }
  metricConformance(world, it, WAIVED);

  it("reads a gauge at the time it was scraped, not at the time it was asked", async () => {
    const reading = await read("temperature");
    const [sampled] = await raw("timestamp(temperature)");
    expect(reading).toMatchObject({ kind: "value", value: 21.5 });
    const atEpochMs = reading.kind === "value" ? reading.atEpochMs : 0;
    expect(Math.abs(atEpochMs - Number(sampled?.value[1]) * 1_000)).toBeLessThanOrEqual(1_100);
  });

  it("asks for the age of every query in words the server understands", async () => {
    for (const query of [
      'sum by (job) (rate(requests_total{code=~"2..|5.."}[5m])) / on (job) group_left () count by (job) (temperature)',
      'sum(rate(requests_total{code="500"}[1m])) / sum(rate(requests_total[1m])) # errors, {} [5m]',
      "histogram_quantile(0.95, sum by (le) (rate(latency_bucket[30s]))) or vector(0)",
      "max_over_time(sum(rate(requests_total[5s]))[10s:1s]) > bool 0.5",
      "temperature / (temperature offset 1s) * scalar(temperature) ^ 1e-3",
      '{__name__="temperature", job="rag"} # {',
      "avg_over_time(temperature [1m]) and on () temperature @ end()",
      "(requests_total{code='500'}) unless on (code) temperature",
    ])
      expect.soft(await kindOf(query), query).toBe("value");
  });

  it("calls 0 / 0 an error and an empty comparison no-data", async () => {
    expect((await raw("zero / zero"))[0]?.value[1]).toBe("NaN");
    expect(await read("zero / zero")).toMatchObject({ kind: "error", reason: expect.stringContaining("NaN") });
    expect(await read("1 / zero")).toMatchObject({ kind: "error", reason: expect.stringContaining("+Inf") });
    expect(await kindOf("temperature > 100")).toBe("no-data");
    expect(await read("temperature > bool 100")).toMatchObject({ kind: "value", value: 0 });
  });

  it("counts the series of a query that forgot to aggregate, and names them", async () => {
    const reason = expect.stringMatching(/^2 series, expected one: requests_total\{code="\d00".*; aggregate/);
    expect(await read("requests_total")).toEqual({ kind: "error", reason });
  });

  it.each([
    ["a range", "temperature[5s]"],
    ["a string", '"21"'],
    ["a constant", "vector(1)"],
    ["the past alone", "temperature offset 1s"],
  ])("calls %s an error", async (_, query) => {
    expect(await kindOf(query)).toBe("error");
  });

  it("rejects a bad query in the server's own words, and one that cannot be carried out", async () => {
    await expect(read("sum(rate(temperature)")).rejects.toMatchObject({
      code: "rejected",
      retry: "never",
      message: expect.stringContaining("bad_data: invalid parameter"),
    });
    await expect(read("temperature + on() requests_total")).rejects.toMatchObject({
      code: "rejected",
      message: expect.stringContaining("many-to-many"),
    });
  });

  it("sees that an exporter repeats an old sample, which the server stamps with the time of the question", async () => {
    target.lines.set("old", `repeated 1 ${now() - 120_000}`);
    await scraped();
    const [sample] = await raw("repeated");
    expect(Math.abs((sample?.value[0] ?? 0) * 1_000 - now())).toBeLessThan(2_000);
    expect(await kindOf("repeated", 60_000)).toBe("no-data");
    expect(await kindOf("temperature + on (job, instance) repeated", 60_000)).toBe("no-data");
    expect(await kindOf("repeated", 180_000)).toBe("value");
  });

  it("has no data soon after the target stops, though rate() goes on giving numbers, and has it again afterwards", async () => {
    const rate = "sum(rate(requests_total[5m]))";
    expect(await kindOf(rate)).toBe("value");
    const port = Number(target.address.split(":")[1]);
    await target.stop();
    await until("up", (value) => value === "0");
    expect(await raw(rate)).toHaveLength(1);
    expect(await read(rate)).toMatchObject({ kind: "no-data", reason: expect.stringContaining("nothing reports it") });
    expect(await kindOf("temperature")).toBe("no-data");
    expect(await kindOf("sum(rate(nothing_total[5m])) or vector(0)")).toBe("no-data");
    expect(await kindOf("sum(avg_over_time(temperature[5m])) + sum(up)")).toBe("no-data");
    target = await startTarget(port, target.lines);
    await until("up", (value) => value === "1");
    expect(await kindOf(rate)).toBe("value");
  });

  it("says unreachable, safe to ask again, when the server is gone", async () => {
    await server.stop();
    await expect(read("temperature")).rejects.toMatchObject({ code: "unreachable", retry: "safe" });
  });
});
