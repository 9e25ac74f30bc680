import { describe, expect, it } from "vitest";
import { json, misbehave, type Seen, suiteFakes } from "../../../../test/integration/metrics/fake-server.ts";
import { systemClock } from "../../../host/system-clock.ts";
import { epochMs } from "../../../core/unit.ts";
import { type MetricState, type MetricWorld, metricConformance } from "../../../testing/metric-suite.ts";
import { prometheus } from "./index.ts";

const NOW = epochMs(1_800_000_000_000);
const NOW_SECONDS = NOW / 1_000;
const SECRET = "t0p-secret-token";

type Series = readonly [metric: Readonly<Record<string, string>>, value: string];

const vector = (...series: readonly Series[]) => ({
  status: "success",
  data: { resultType: "vector", result: series.map(([metric, value]) => ({ metric, value: [NOW_SECONDS, value] })) },
});

/** What a fake Prometheus says of the age of the metric `m`: newest and oldest alike. */
function ageAnswer(ageMs: number | null) {
  const clock: Series = [{ sluice_reads: "clock" }, "1"];
  if (ageMs === null) return vector(clock);
  const at = String((NOW - ageMs) / 1_000);
  return vector(clock, [{ sluice_reads: "0 newest" }, at], [{ sluice_reads: "0 oldest" }, at]);
}

function valueAnswer(state: MetricState) {
  if (state.kind === "number") return vector([{}, String(state.value)]);
  if (state.kind === "not-a-number") return vector([{}, "NaN"]);
  if (state.kind === "two") return vector([{ pod: "a" }, "1"], [{ pod: "b" }, "2"]);
  return vector();
}

const isAboutAge = ({ body }: Seen) => new URLSearchParams(body).get("query")?.includes("timestamp(") ?? false;

describe("metrics/prometheus on a fake server (the real one runs the same suite in test/integration)", () => {
  const fakes = suiteFakes((elsewhere) =>
    elsewhere.answer((seen, response) => json(response, isAboutAge(seen) ? ageAnswer(0) : vector([{}, "1"]))),
  );

  function world(): MetricWorld {
    return {
      source: prometheus({
        url: `${fakes.server.url}/prefix/`,
        clock: systemClock(),
        timeoutMs: 1_000,
        token: () => SECRET,
      }),
      now: () => NOW,
      secret: SECRET,
      async hold(state) {
        fakes.server.answer((seen, response) => {
          if (misbehave(state.kind, seen, response, fakes.elsewhere.url)) return;
          if (state.kind === "refuses-query") {
            response
              .writeHead(400)
              .end(JSON.stringify({ status: "error", errorType: "bad_data", error: "parse error" }));
          } else if (!isAboutAge(seen)) json(response, valueAnswer(state));
          else json(response, ageAnswer(state.kind === "number" ? state.ageMs : state.kind === "missing" ? null : 0));
        });
        return "m";
      },
    };
  }
  metricConformance(world, it);

  const ask = (query = "m") => world().source.read({ query, maxAgeMs: 60_000 }, NOW);

  it("asks for the age first, then for the number at that moment, both by POST form with the token", async () => {
    await world().hold({ kind: "number", value: 1, ageMs: 0 });
    await ask();
    const [age, value] = fakes.server.seen.slice(-2) as [Seen, Seen];
    expect(isAboutAge(age)).toBe(true);
    expect(Object.fromEntries(new URLSearchParams(value.body))).toEqual({ query: "m", time: String(NOW_SECONDS) });
    for (const one of [age, value]) {
      expect(one).toMatchObject({ method: "POST", path: "/prefix/api/v1/query" });
      expect(one.headers).toMatchObject({ authorization: `Bearer ${SECRET}` });
      expect(one.headers["content-type"]).toMatch(/^application\/x-www-form-urlencoded/);
    }
  });

  it("says what Prometheus says of a query it refuses, though the question of the age was refused first", async () => {
    await world().hold({ kind: "refuses-query" });
    await expect(ask()).rejects.toMatchObject({
      code: "rejected",
      message: expect.stringContaining("bad_data: parse error"),
    });
  });

  it("reports a refused question of the age when the number alone was answered", async () => {
    fakes.server.answer((seen, response) => {
      if (isAboutAge(seen)) response.writeHead(422).end();
      else json(response, vector([{}, "1"]));
    });
    await expect(ask()).rejects.toMatchObject({ code: "rejected", message: expect.stringContaining("422") });
  });

  it("calls a number an error when the server tells no age or the query hides what it reads", async () => {
    fakes.server.answer((_, response) => json(response, vector([{}, "1"])));
    expect(await ask()).toEqual({
      kind: "error",
      reason: expect.stringContaining("the age of its samples cannot be told"),
    });
    expect(await ask('sum({job="rag"})')).toEqual({
      kind: "error",
      reason: expect.stringContaining("names no metric"),
    });
  });

  it("has no data when the samples are fresh and the number is of an earlier moment, as from a cache", async () => {
    const old = { resultType: "scalar", result: [NOW_SECONDS - 61, "1"] };
    fakes.server.answer((seen, response) =>
      json(response, isAboutAge(seen) ? ageAnswer(0) : { status: "success", data: old }),
    );
    expect(await ask()).toEqual({ kind: "no-data", reason: expect.stringContaining("the server's answer is of") });
  });

  it("has no data when the server itself lives in the past, and an error when it lives ahead", async () => {
    await world().hold({ kind: "number", value: 1, ageMs: 0 });
    const at = (now: number) => world().source.read({ query: "m", maxAgeMs: 60_000 }, epochMs(now));
    expect((await at(NOW + 60_001)).kind).toBe("no-data");
    expect((await at(NOW - 5_001)).kind).toBe("error");
    expect((await at(NOW - 5_000)).kind).toBe("value");
  });
});
