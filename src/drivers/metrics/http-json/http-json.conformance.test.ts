import { describe, expect, it } from "vitest";
import { systemClock } from "../../../host/system-clock.ts";
import { json, misbehave, suiteFakes } from "../../../../test/integration/metrics/fake-server.ts";
import { epochMs } from "../../../core/unit.ts";
import { type MetricWorld, metricConformance } from "../../../testing/metric-suite.ts";
import { httpJson } from "./index.ts";

const NOW = epochMs(1_800_000_000_000);
const SECRET = "t0p-secret-token";

describe("metrics/http-json on a fake server", () => {
  const fakes = suiteFakes((elsewhere) => elsewhere.answer((_, response) => json(response, { at: NOW, value: 1 })));

  function world(): MetricWorld {
    const config = {
      clock: systemClock(),
      url: `${fakes.server.url}/stats?key=k`,
      timestamp: "/at",
      timeoutMs: 1_000,
      token: () => SECRET,
    };
    return {
      source: httpJson(config),
      now: () => NOW,
      secret: SECRET,
      async hold(state) {
        fakes.server.answer((seen, response) => {
          if (misbehave(state.kind, seen, response, fakes.elsewhere.url)) return;
          if (state.kind === "refuses-query") response.writeHead(404).end(seen.headers.authorization);
          else if (state.kind === "number") json(response, { at: NOW - state.ageMs, value: state.value });
          else if (state.kind === "missing") json(response, { at: NOW });
          else json(response, { at: NOW, value: state.kind === "two" ? [1, 2] : "NaN" });
        });
        return "/value";
      },
    };
  }
  metricConformance(world, it);

  it("asks by GET with the token, and sends the token nowhere else", async () => {
    const { source, hold } = world();
    const query = await hold({ kind: "number", value: 1, ageMs: 0 });
    await source.read({ query, maxAgeMs: 1_000 }, NOW);
    expect(fakes.server.seen.at(-1)).toMatchObject({
      method: "GET",
      path: "/stats?key=k",
      headers: { authorization: `Bearer ${SECRET}`, accept: "application/json", "cache-control": "no-cache" },
    });
    await hold({ kind: "redirects" });
    await expect(source.read({ query, maxAgeMs: 1_000 }, NOW)).rejects.toThrow(`a redirect to ${fakes.elsewhere.url};`);
    expect(fakes.elsewhere.seen).toHaveLength(1); // The one that loaded fetch.
  });

  it("counts a number without a known time as taken when it was asked for", async () => {
    fakes.server.answer((_, response) => json(response, { value: 3, at: 1 }));
    const reading = await httpJson({ clock: systemClock(), url: fakes.server.url }).read(
      { query: "/value", maxAgeMs: 0 },
      NOW,
    );
    expect(reading).toEqual({ kind: "value", value: 3, atEpochMs: NOW });
    expect(fakes.server.seen.at(-1)?.headers.authorization).toBeUndefined();
  });

  it("rejects a query that is no JSON pointer before it asks, and a timestamp that is none at the start", async () => {
    const count = fakes.server.seen.length;
    const bad = httpJson({ clock: systemClock(), url: fakes.server.url }).read({ query: "value", maxAgeMs: 0 }, NOW);
    await expect(bad).rejects.toMatchObject({ code: "rejected", retry: "never" });
    expect(fakes.server.seen).toHaveLength(count);
    expect(() => httpJson({ clock: systemClock(), url: fakes.server.url, timestamp: "at" })).toThrow(
      'timestamp "at" is no JSON pointer',
    );
  });
});
