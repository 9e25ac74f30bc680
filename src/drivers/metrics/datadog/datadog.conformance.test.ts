import { describe, expect, it } from "vitest";
import { systemClock } from "../../../host/system-clock.ts";
import { json, misbehave, suiteFakes } from "../../../../test/integration/metrics/fake-server.ts";
import { withHeaders } from "../../../../test/integration/metrics/with-headers.ts";
import { epochMs } from "../../../core/unit.ts";
import { type MetricWorld, metricConformance } from "../../../testing/metric-suite.ts";
import { datadog } from "./index.ts";

const NOW = epochMs(1_800_000_000_000);
const SECRET = "t0p-secret-api-key";

describe("metrics/datadog on a fake server", () => {
  const fakes = suiteFakes();

  const series = (endMs: number, value: unknown) => ({
    metric: "rag.errors",
    interval: 10,
    scope: "release:v8",
    pointlist: [
      [endMs - 20_000, 99],
      [endMs - 10_000, value],
    ],
  });

  function world(): MetricWorld {
    const credentials = withHeaders({ "DD-API-KEY": SECRET, "DD-APPLICATION-KEY": `${SECRET}-2` }, SECRET);
    return {
      source: datadog({ clock: systemClock(), url: fakes.server.url, timeoutMs: 1_000, ...credentials }),
      now: () => NOW,
      secret: SECRET,
      async hold(state) {
        fakes.server.answer((seen, response) => {
          if (state.kind === "denies")
            response.writeHead(403).end(JSON.stringify({ errors: [`Forbidden: ${seen.headers["dd-api-key"]}`] }));
          else if (misbehave(state.kind, seen, response, fakes.elsewhere.url)) return;
          else if (state.kind === "refuses-query") response.writeHead(400).end('{"errors":["Error parsing query"]}');
          else if (state.kind === "missing") json(response, { status: "ok", series: [] });
          else if (state.kind === "number")
            json(response, { status: "ok", series: [series(NOW - state.ageMs, state.value)] });
          else if (state.kind === "two") json(response, { status: "ok", series: [series(NOW, 1), series(NOW, 2)] });
          else json(response, { status: "ok", series: [series(NOW, "NaN")] });
        });
        return "sum:rag.errors{release:v8}.as_count()";
      },
    };
  }
  metricConformance(world, it);

  it("asks by GET with the query, whole seconds and both keys", async () => {
    const { source, hold } = world();
    const query = await hold({ kind: "number", value: 1, ageMs: 0 });
    await source.read({ query, maxAgeMs: 60_000 }, NOW);
    const nothing = { method: "", path: "", headers: { "dd-api-key": "" } };
    const { method, path, headers } = fakes.server.seen.at(-1) ?? nothing;
    const asked = new URL(path, fakes.server.url);
    expect([method, asked.pathname, headers["dd-api-key"]]).toEqual(["GET", "/api/v1/query", SECRET]);
    expect(Object.fromEntries(asked.searchParams)).toEqual({ from: "1799999340", to: "1800000000", query });
  });

  it("tells a limit apart from a refusal: the next interval may ask again", async () => {
    const { source } = world();
    fakes.server.answer((_, response) => {
      response.writeHead(429, { "x-ratelimit-reset": "12" }).end('{"errors":["Rate limit of 300 requests"]}');
    });
    await expect(source.read({ query: "q", maxAgeMs: 1 }, NOW)).rejects.toMatchObject({
      code: "unreachable",
      retry: "safe",
      message: expect.stringContaining("Rate limit of 300 requests"),
    });
  });
});
