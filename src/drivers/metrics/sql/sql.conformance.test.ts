import { describe, expect, it } from "vitest";
import { systemClock } from "../../../host/system-clock.ts";
import { json, misbehave, startFake, suiteFakes } from "../../../../test/integration/metrics/fake-server.ts";
import { withHeaders } from "../../../../test/integration/metrics/with-headers.ts";
import { epochMs } from "../../../core/unit.ts";
import { type MetricState, type MetricWorld, metricConformance } from "../../../testing/metric-suite.ts";
import { clickhouse, influxSql } from "./index.ts";

const NOW = epochMs(1_800_000_000_000);
const SECRET = "t0p-secret-password";
const META = [
  { name: "value", type: "Float64" },
  { name: "time", type: "DateTime64(3, 'UTC')" },
];

/** `2026-01-01T00:00:00.000`, as both servers write a time but for one letter. */
const zoneless = (ms: number) => new Date(ms).toISOString().slice(0, -1);

const clickhouseOf = (state: MetricState): unknown => {
  const row = (ms: number, value: unknown) => [value, zoneless(ms).replace("T", " ")];
  const data = (...rows: unknown[]) => ({ meta: META, data: rows, rows: rows.length });
  if (state.kind === "number") return data(row(NOW - state.ageMs, state.value));
  if (state.kind === "two") return data(row(NOW, 1), row(NOW, 2));
  return state.kind === "missing" ? data(row(0, null)) : data(row(NOW, "inf"));
};
const influxOf = (state: MetricState): unknown => {
  const row = (ms: number, value: unknown) => ({ time: zoneless(ms), value });
  if (state.kind === "number") return [row(NOW - state.ageMs, state.value)];
  if (state.kind === "two") return [row(NOW, 1), row(NOW, 2)];
  return state.kind === "missing" ? [] : [row(NOW, "NaN")];
};

const DIALECTS = {
  clickhouse: {
    source: clickhouse,
    headers: { "X-ClickHouse-User": "sluice", "X-ClickHouse-Key": SECRET },
    answerOf: clickhouseOf,
    refusal: "Code: 62. DB::Exception: Syntax error: failed at position 1 (SELEC)",
    search: "?tenant=a",
    asked: (query: string) => ["/sql/", { tenant: "a", query, default_format: "JSONCompact" }],
  },
  "influxdb-sql": {
    source: influxSql,
    headers: { authorization: `Bearer ${SECRET}` },
    answerOf: influxOf,
    refusal: '{"error":"SQL error: column not found"}',
    search: "?db=rag",
    asked: (query: string) => ["/sql/api/v3/query_sql", { db: "rag", q: query, format: "json" }],
  },
} as const;

describe.each(["clickhouse", "influxdb-sql"] as const)("metrics/sql on a fake of %s", (name) => {
  const { source, headers, answerOf, refusal, search, asked } = DIALECTS[name];
  const fakes = suiteFakes();

  function world(): MetricWorld {
    const url = `${fakes.server.url}/sql${search}`;
    return {
      source: source({ clock: systemClock(), url, timeoutMs: 1_000, ...withHeaders(headers, SECRET) }),
      now: () => NOW,
      secret: SECRET,
      async hold(state) {
        fakes.server.answer((seen, response) => {
          if (state.kind === "denies") response.writeHead(401).end(`wrong: ${JSON.stringify(seen.headers)}`);
          else if (misbehave(state.kind, seen, response, fakes.elsewhere.url)) return;
          else if (state.kind === "refuses-query") response.writeHead(400).end(refusal);
          else json(response, answerOf(state));
        });
        return "SELECT avg(ms) AS value, max(at) AS time FROM answers";
      },
    };
  }
  metricConformance(world, it);

  it("asks by GET with the query beside what the address has", async () => {
    const { source: opened, hold } = world();
    const query = await hold({ kind: "number", value: 1, ageMs: 0 });
    await opened.read({ query, maxAgeMs: 60_000 }, NOW);
    const { method, path } = fakes.server.seen.at(-1) ?? { method: "", path: "" };
    const to = new URL(path, fakes.server.url);
    expect([method, to.pathname, Object.fromEntries(to.searchParams)]).toEqual(["GET", ...asked(query)]);
  });

  it("quotes what the server says of a wrong query", async () => {
    const { source: opened, hold } = world();
    const query = await hold({ kind: "refuses-query" });
    await expect(opened.read({ query, maxAgeMs: 1 }, NOW)).rejects.toThrow(/Syntax error|column not found/);
  });
});

it("goes by the exception code of ClickHouse before the status, which is 500 for nearly everything", async () => {
  const server = await startFake();
  const source = clickhouse({ clock: systemClock(), url: server.url });
  const codes = { 47: "rejected", 159: "unreachable", 202: "unreachable", 516: "unauthorized", 497: "unauthorized" };
  for (const [code, expected] of Object.entries(codes)) {
    server.answer((_, response) => response.writeHead(500).end(`Code: ${code}. DB::Exception: words`));
    await expect(source.read({ query: "q", maxAgeMs: 1 }, NOW)).rejects.toMatchObject({ code: expected });
  }
  await server.stop();
});
