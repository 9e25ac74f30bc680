import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/system-clock.ts";
import { type FakeServer, json, misbehave, startFake } from "../../../../test/integration/metrics/fake-server.ts";
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
  let server: FakeServer;
  let elsewhere: FakeServer;
  beforeAll(async () => {
    [server, elsewhere] = [await startFake(), await startFake()];
    await (await fetch(elsewhere.url)).text(); // The first fetch of a process also loads its code.
  });
  afterAll(async () => {
    await Promise.all([server.stop(), elsewhere.stop()]);
  });

  function world(): MetricWorld {
    const credentials = withHeaders({ "x-proxy-key": SECRET }, SECRET);
    return {
      source: graphite({ clock: systemClock(), url: `${server.url}/graphite/`, timeoutMs: 1_000, ...credentials }),
      now: () => NOW,
      secret: SECRET,
      async hold(state) {
        server.answer((seen, response) => {
          if (state.kind === "denies") response.writeHead(403).end(`not with ${seen.headers["x-proxy-key"]}`);
          else if (misbehave(state.kind, seen, response, elsewhere.url)) return;
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
    const { method, path } = server.seen.at(-1) ?? { method: "", path: "" };
    const asked = new URL(path, server.url);
    expect([method, asked.pathname]).toEqual(["GET", "/graphite/render"]);
    const times = { from: "1799999340", until: "1800000000" };
    expect(Object.fromEntries(asked.searchParams)).toEqual({ target: query, ...times, format: "json" });
  });
});
