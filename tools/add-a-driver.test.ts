import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importProblem } from "./layers.ts";
import { importsOf, ROOT } from "./source-files.ts";
import { recipeOf, TemporaryCopy } from "./temporary-copy.ts";

const FOLDER = "src/drivers/metrics/tallyboard";

/** Line 2: a product that answers `VALUE EPOCH_MS` as plain text. */
const DRIVER = `
import type { MetricReading, MetricSource } from "../../../ports/metric-source.ts";
import { judgeAge } from "../age.ts";
import { type ConnectionConfig, connect } from "../connection.ts";
import { epochMs } from "../../../core/unit.ts";

export function tallyboard(config: ConnectionConfig): MetricSource {
  const connection = connect("metrics/tallyboard", config, "", { detailOf: () => "" });
  return {
    name: "tallyboard",
    read: (order, now) =>
      connection.read(async (send): Promise<MetricReading> => {
        const text = await send({ search: { board: order.query } });
        if (text === "") return { kind: "no-data", reason: "the board is empty" };
        const lines = text.split("|");
        if (lines.length > 1) return { kind: "error", reason: \`\${lines.length} numbers, expected one\` };
        const [value = "", at = ""] = text.split(" ");
        if (!/^-?\\d+(\\.\\d+)?(e[+-]?\\d+)?$/.test(value) || !/^\\d+$/.test(at))
          return { kind: "error", reason: "the board shows no number with its time" };
        const age = judgeAge("the number", Number(at), order, now);
        return age ?? { kind: "value", value: Number(value), atEpochMs: epochMs(Number(at)) };
      }),
  };
}
`;

/** Line 3. */
const INDEX = `
import { type MetricDriver, missingHeaders } from "../metric-driver.ts";
import { tallyboard } from "./driver.ts";

export const runtime = "node";

export const driver = {
  product: "tallyboard",
  times: { everyMs: 5_000, maxAgeMs: 20_000, lateMs: 0 },
  lacks: (metric) => missingHeaders(metric, ["X-Board-Key"]),
  open: tallyboard,
} satisfies MetricDriver;
`;

/** Line 5, and what line 4 says that everybody knows then. */
const CONFORMANCE = `
import { describe, expect, it } from "vitest";
import { misbehave, suiteFakes } from "../../../../test/integration/metrics/fake-server.ts";
import { readRollout, planRollout } from "../../../../test/known-drivers.ts";
import { epochMs } from "../../../core/unit.ts";
import { KNOWN_DRIVERS } from "../../../host/driver-registry.ts";
import { metricSources } from "../../../host/metric-sources.ts";
import { systemClock } from "../../../host/system-clock.ts";
import { documentSchemas } from "../../../spec/json-schema.ts";
import { isProblems } from "../../../spec/read-rollout.ts";
import { type MetricWorld, metricConformance } from "../../../testing/metric-suite.ts";
import { driver } from "./index.ts";

const NOW = epochMs(1_800_000_000_000);
const document = (metric: string) => \`apiVersion: sluice/v1
kind: Rollout
metadata: { name: r-1 }
spec:
  service: s
  stable: { url: http://127.0.0.1:4001/answer }
  candidate: { url: http://127.0.0.1:4002/answer }
  route: { driver: gateway, stickyBy: [{ header: x-user-id }], trustedHeaders: [x-user-id] }
  metrics: [{ name: age, url: URL, candidate: b1, \${metric} }]
  gates: [{ use: default }, { gate: metric, metric: age, promote: 3 }]
\`;
const told = (metric: string) => {
  const read = readRollout(document(metric).replace("URL", "http://127.0.0.1:1"));
  return isProblems(read) ? read.map(({ message }) => message) : [];
};
const KEYED = "source: tallyboard, access: { headers: { x-board-key: { file: /k } } }";

describe("metrics/tallyboard", () => {
  const fakes = suiteFakes((elsewhere) => elsewhere.answer((_, response) => response.end("1 1")));
  const world = (): MetricWorld => ({
    source: driver.open({ clock: systemClock(), url: fakes.server.url, timeoutMs: 1_000, token: () => "t0p" }),
    now: () => NOW,
    secret: "t0p",
    async hold(state) {
      fakes.server.answer((seen, response) => {
        if (misbehave(state.kind, seen, response, fakes.elsewhere.url)) return;
        if (state.kind === "refuses-query") response.writeHead(400).end();
        else if (state.kind === "number") response.end(\`\${state.value} \${NOW - state.ageMs}\`);
        else response.end({ missing: "", two: "1 1|2 2" }[state.kind as string] ?? "NaN 1");
      });
      return "b1";
    },
  });
  metricConformance(world, it);

  it("is known to documents, the schema, plans and the controller", async () => {
    expect(told(KEYED)).toEqual([]);
    expect(told("source: tallyboard")).toEqual([expect.stringContaining("asks for the header X-Board-Key")]);
    expect(told("source: tallybord")).toEqual([expect.stringContaining('did you mean "tallyboard"?')]);
    expect(JSON.stringify(documentSchemas(KNOWN_DRIVERS))).toContain('"tallyboard"');
    const whole = readRollout(document(KEYED).replace("URL", fakes.server.url));
    if (isProblems(whole)) throw new Error(JSON.stringify(whole));
    const paths = { set: null, map: null, corpus: null };
    const context = { file: "r", generation: 1, seed: 1, documentDigest: "", goldDigest: "", paths };
    const [metric] = planRollout(whole.document, whole.source, context).metrics;
    if (metric === undefined) throw new Error("the plan has the metric");
    expect([metric.source, metric.everyMs, metric.maxAgeMs]).toEqual(["tallyboard", 5_000, 20_000]);
    const { access: _, ...open } = metric;
    fakes.server.answer((__, response) => response.end(\`7 \${NOW}\`));
    const reading = await metricSources(systemClock())(open).read({ query: "b1", maxAgeMs: 1_000 }, NOW);
    expect(reading).toEqual({ kind: "value", value: 7, atEpochMs: NOW });
  });
});
`;

let copy: TemporaryCopy;
beforeAll(() => {
  const names = ["src", "test/integration/metrics/fake-server.ts", "test/known-drivers.ts", "package.json"];
  copy = new TemporaryCopy([...names, "tsconfig.base.json", "tsconfig.build.json"]);
});
afterAll(() => copy.remove());

describe("the recipe “Add a driver” of ARCHITECTURE.md", () => {
  it("has five lines, and every place in them exists", () => {
    const recipe = recipeOf("Add a driver");
    expect(recipe.match(/^\d\. /gm)).toHaveLength(5);
    for (const name of ["satisfies MetricDriver", "metricSuite", "docs/metrics.md"]) expect(recipe).toContain(name);
    const registry = /`(src\/host\/[\w-]+\.ts)`/.exec(recipe)?.[1] ?? "";
    expect(readFileSync(join(ROOT, registry), "utf8")).toContain("METRIC_DRIVERS");
  });

  it("gives a driver that compiles, keeps the layer rules, passes the suite and is known everywhere", () => {
    const files = { "driver.ts": DRIVER, "index.ts": INDEX, "tallyboard.conformance.test.ts": CONFORMANCE };
    for (const [name, text] of Object.entries(files)) copy.write(`${FOLDER}/${name}`, text);
    for (const [name, text] of [
      ["driver.ts", DRIVER],
      ["index.ts", INDEX],
    ] as const) {
      const file = { path: `${FOLDER}/${name}`, text, lines: 0 };
      expect(importsOf(text).flatMap((one) => importProblem(file, one) ?? [])).toEqual([]);
    }
    const line = 'import { driver as tallyboard } from "../drivers/metrics/tallyboard/index.ts";\n';
    copy.edit(
      "src/host/driver-registry.ts",
      ["  prometheus,\n", "  prometheus,\n  tallyboard,\n"],
      ["import { driver as prometheus", `${line}import { driver as prometheus`],
    );
    expect(copy.runPackage("tsc", ["-p", "tsconfig.build.json", "--noEmit"])).toEqual({ status: 0, said: "" });
    const { status, said } = copy.runPackage("vitest", ["run", "--root", ".", FOLDER]);
    expect([status, said]).toEqual([0, expect.stringMatching(/Tests\s.*\d+ passed/)]);
  }, 300_000);
});
