import { describe, expect, it } from "vitest";
import { systemClock } from "../../../host/system-clock.ts";
import { json, misbehave, suiteFakes } from "../../../../test/integration/metrics/fake-server.ts";
import { withHeaders } from "../../../../test/integration/metrics/with-headers.ts";
import { epochMs } from "../../../core/unit.ts";
import { type MetricState, type MetricWorld, metricConformance } from "../../../testing/metric-suite.ts";
import { newRelic } from "./index.ts";

const NOW = epochMs(1_800_000_000_000);
const SECRET = "NRAK-T0PSECRET";

const row = (endMs: number, value: unknown) => ({
  beginTimeSeconds: endMs / 1_000 - 60,
  endTimeSeconds: endMs / 1_000,
  "average.ms": value,
});
const answer = (results: unknown, errors?: unknown) => ({
  data: { actor: { account: { nrql: results === null ? null : { results, metadata: { facets: null } } } } },
  ...(errors === undefined ? {} : { errors }),
});

function answerOf(state: MetricState): unknown {
  if (state.kind === "number")
    return answer([row(NOW - state.ageMs - 60_000, 99), row(NOW - state.ageMs, state.value)]);
  if (state.kind === "two")
    return answer([
      { ...row(NOW, 1), facet: "a" },
      { ...row(NOW, 2), facet: "b" },
    ]);
  return answer(state.kind === "missing" ? [] : [row(NOW, "NaN")]);
}

describe("metrics/newrelic on a fake server", () => {
  const fakes = suiteFakes();

  function world(): MetricWorld {
    const credentials = withHeaders({ "API-Key": SECRET }, SECRET);
    const url = `${fakes.server.url}?account=1234567`;
    return {
      source: newRelic({ clock: systemClock(), url, timeoutMs: 1_000, ...credentials }),
      now: () => NOW,
      secret: SECRET,
      async hold(state) {
        fakes.server.answer((seen, response) => {
          const refuse = (errorClass: string, message: string) =>
            json(response, answer(null, [{ message, extensions: { errorClass } }]));
          if (state.kind === "denies") refuse("ACCESS_DENIED", `${seen.headers["api-key"]} may not read this account`);
          else if (state.kind === "is-busy") refuse("TIMEOUT", "NRDB query duration exceeded the set timeout");
          else if (misbehave(state.kind, seen, response, fakes.elsewhere.url)) return;
          else if (state.kind === "refuses-query") refuse("INVALID_INPUT", "NRQL Syntax Error: unexpected 'FORM'");
          else json(response, answerOf(state));
        });
        return "SELECT average(ms) FROM Answer TIMESERIES";
      },
    };
  }
  metricConformance(world, it);

  it("asks by POST with the account and the query as variables, and the key in its header", async () => {
    const { source, hold } = world();
    const nrql = await hold({ kind: "number", value: 1, ageMs: 0 });
    await source.read({ query: nrql, maxAgeMs: 60_000 }, NOW);
    const { method, path, headers, body } = fakes.server.seen.at(-1) ?? {
      method: "",
      path: "",
      headers: {},
      body: "{}",
    };
    expect([method, path, headers["api-key"]]).toEqual(["POST", "/graphql", SECRET]);
    expect(JSON.parse(body)).toMatchObject({ variables: { account: 1_234_567, nrql } });
  });

  it("tells a refused key by its status too, and refuses an address without an account at once", async () => {
    fakes.server.answer((_, response) => response.writeHead(401).end('{"errors":[{"message":"Invalid API key"}]}'));
    const reading = world().source.read({ query: "q", maxAgeMs: 1 }, NOW);
    await expect(reading).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringContaining("Invalid API key"),
    });
    expect(() => newRelic({ clock: systemClock(), url: fakes.server.url })).toThrow("names no account");
  });
});
