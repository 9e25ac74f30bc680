import { describe, expect, it } from "vitest";
import { systemClock } from "../../../host/system-clock.ts";
import { json, misbehave, suiteFakes } from "../../../../test/integration/metrics/fake-server.ts";
import { withHeaders } from "../../../../test/integration/metrics/with-headers.ts";
import { epochMs } from "../../../core/unit.ts";
import { type MetricState, type MetricWorld, metricConformance } from "../../../testing/metric-suite.ts";
import { graphite } from "./index.ts";

const NOW = epochMs(1_800_000_000_000);
const SECRET = "t0p-secret-proxy-key";

const series = (endMs: number, value: unknown) => {
  const startS = endMs / 1_000 - 10;
  return {
    target: "rag.v8.errors",
    tags: {},
    datapoints: [
      [99, startS - 10],
      [value, startS],
      [null, startS + 10],
    ],
  };
};

function answerOf(state: MetricState): unknown {
  if (state.kind === "number") return [series(NOW - state.ageMs, state.value)];
  if (state.kind === "two") return [series(NOW, 1), series(NOW, 2)];
  return state.kind === "missing" ? [] : [series(NOW, "NaN")];
}

describe("metrics/graphite on a fake server", () => {
  const fakes = suiteFakes();

  function world(): MetricWorld {
    const credentials = withHeaders({ "x-proxy-key": SECRET }, SECRET);
    return {
      source: graphite({
        clock: systemClock(),
        url: `${fakes.server.url}/graphite/`,
        timeoutMs: 1_000,
        ...credentials,
      }),
      now: () => NOW,
      secret: SECRET,
      async hold(state) {
        fakes.server.answer((seen, response) => {
          if (state.kind === "denies") response.writeHead(403).end(`not with ${seen.headers["x-proxy-key"]}`);
          else if (misbehave(state.kind, seen, response, fakes.elsewhere.url)) return;
          else if (state.kind === "refuses-query") response.writeHead(400).end('Unknown function "avgg"');
          else json(response, answerOf(state));
        });
        return "rag.v8.errors";
      },
    };
  }
  metricConformance(world, it);

  it("asks by GET for the target in whole seconds", async () => {
    const { source, hold } = world();
    const query = await hold({ kind: "number", value: 1, ageMs: 0 });
    await source.read({ query, maxAgeMs: 60_000 }, NOW);
    const { method, path } = fakes.server.seen.at(-1) ?? { method: "", path: "" };
    const asked = new URL(path, fakes.server.url);
    expect([method, asked.pathname]).toEqual(["GET", "/graphite/render"]);
    const times = { from: "1799999340", until: "1800000000" };
    expect(Object.fromEntries(asked.searchParams)).toEqual({ target: query, ...times, format: "json" });
  });
});
