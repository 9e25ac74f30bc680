import { describe, expect, it } from "vitest";
import { systemClock } from "../../../host/system-clock.ts";
import { json, misbehave, suiteFakes } from "../../../../test/integration/metrics/fake-server.ts";
import { withHeaders } from "../../../../test/integration/metrics/with-headers.ts";
import { epochMs } from "../../../core/unit.ts";
import { type MetricState, type MetricWorld, metricConformance } from "../../../testing/metric-suite.ts";
import { influxFlux, influxQl } from "./index.ts";

const NOW = epochMs(1_800_000_000_000);
const SECRET = "t0p-secret-token";
const HEAD =
  "#datatype,string,long,dateTime:RFC3339,double\r\n#group,false,false,false,false\r\n#default,_result,,,\r\n";

const fluxOf = (state: MetricState): string => {
  const row = (table: number, atMs: number, value: unknown) =>
    `,,${table},${new Date(atMs).toISOString()},${value}\r\n`;
  const head = `${HEAD},result,table,_time,_value\r\n`;
  if (state.kind === "number") return head + row(0, NOW - state.ageMs, state.value);
  if (state.kind === "two") return head + row(0, NOW, 1) + row(1, NOW, 2);
  return state.kind === "missing" ? "\r\n" : head + row(0, NOW, "NaN");
};
const qlOf = (state: MetricState): unknown => {
  const series = (atMs: number, value: unknown) => ({ name: "q", columns: ["time", "v"], values: [[atMs, value]] });
  if (state.kind === "number") return { results: [{ series: [series(NOW - state.ageMs, state.value)] }] };
  if (state.kind === "two") return { results: [{ series: [series(NOW, 1), series(NOW, 2)] }] };
  return { results: [state.kind === "missing" ? {} : { series: [series(NOW, "NaN")] }] };
};

describe.each(["flux", "influxql"])("metrics/influxdb by %s on a fake server", (language) => {
  const fakes = suiteFakes();

  function world(): MetricWorld {
    const config = {
      clock: systemClock(),
      url: `${fakes.server.url}/influx?${language === "flux" ? "org=o" : "db=d"}`,
      timeoutMs: 1_000,
      ...withHeaders({ authorization: `Token ${SECRET}` }, SECRET),
    };
    return {
      source: language === "flux" ? influxFlux(config) : influxQl(config),
      now: () => NOW,
      secret: SECRET,
      async hold(state) {
        fakes.server.answer((seen, response) => {
          const refuse = (status: number, message: string) =>
            response.writeHead(status).end(JSON.stringify({ code: "invalid", message }));
          if (state.kind === "denies") refuse(401, `unauthorized: ${seen.headers.authorization}`);
          else if (misbehave(state.kind, seen, response, fakes.elsewhere.url)) return;
          else if (state.kind === "refuses-query") refuse(400, "compilation failed");
          else if (language === "flux") response.writeHead(200, { "content-type": "text/csv" }).end(fluxOf(state));
          else json(response, qlOf(state));
        });
        return "the query";
      },
    };
  }
  metricConformance(world, it);

  it("sends the query beside what the address asks for", async () => {
    const { source, hold } = world();
    const query = await hold({ kind: "number", value: 1, ageMs: 0 });
    await source.read({ query, maxAgeMs: 60_000 }, NOW);
    const { method, path, headers, body } = fakes.server.seen.at(-1) ?? { method: "", path: "", headers: {}, body: "" };
    expect(headers.authorization).toBe(`Token ${SECRET}`);
    if (language === "influxql") {
      expect([method, path]).toEqual(["GET", "/influx/query?db=d&q=the+query&epoch=ms"]);
      return;
    }
    expect([method, path, headers.accept]).toEqual(["POST", "/influx/api/v2/query?org=o", "application/csv"]);
    expect(JSON.parse(body)).toMatchObject({ query, type: "flux", dialect: { annotations: expect.any(Array) } });
  });
});
