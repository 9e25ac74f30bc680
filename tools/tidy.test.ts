import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { METRIC_DRIVERS } from "../src/host/driver-registry.ts";
import { GATE_NAMES } from "../src/core/judge/gates.ts";
import { importProblem, layerOf } from "./layers.ts";
import { filesUnder, importsOf, type SourceFile } from "./source-files.ts";

/** Core names no clock, no randomness, no I/O, no environment; these words would. */
const BANNED_IN_CORE = [
  /\bDate\b/,
  /Math\.random/,
  /\bprocess\.(?!ts\b)/,
  /\bconsole\./,
  /\bawait\b/,
  /\bPromise\b/,
  /toLocale/,
  /\bIntl\b/,
  /setTimeout/,
  /performance\./,
];

/** Timers, clocks and randomness that come from nowhere; a socket's own `setTimeout` is a method and is not meant. */
const AMBIENT = [
  /(?<![.\w])set(Timeout|Interval)\(/,
  /AbortSignal\.timeout/,
  /Math\.random/,
  /(?<!\w)random(Bytes|UUID)\(/,
  /Date\.now/,
  /performance\.now/,
];
/**
 * Where they may be named: hosts, what people run, the laboratory, and the one place of each library that wraps them.
 */
const AMBIENT_PLACES = [
  "src/host/",
  "src/cli/",
  "src/lab/",
  "src/testing/",
  "src/edge/web-clock.ts",
  "src/fence/system.ts",
  "src/drivers/batch.ts",
  "src/drivers/fence/durable-object/object.ts",
  "src/drivers/webhook/node/driver.ts",
];

const BANNED_NAMES = /(^|[-/])(utils?|helpers?|common|manager|misc|impl)([-./]|$)/;
const WARN_LINES = 300;
const MAX_LINES = 400;
const MAX_TEST_LINES = 600;

/** Files where a word that is a gate's name as well means something else. */
const OTHER_WORDS: Readonly<Record<string, readonly string[]>> = {
  "src/lab/faults.ts": ["new-error-class"],
  "src/lab/request-draw.ts": ["new-error-class"],
  "src/cli/demo/scenario.ts": ["new-error-class"],
  "src/probe/answers.ts": ["schema-violation"],
  "src/probe/answer-schema.ts": ["schema-violation"],
  "src/ports/probe-run-store.ts": ["schema-violation"],
  "src/core/measure/run-measure.ts": ["schema-violation"],
  "src/core/measure/arm-report.ts": ["schema-violation", "lambda"],
  "src/core/measure/report.ts": ["coverage", "lambda", "schema-violation"],
  "src/probe/target.ts": ["schema-violation"],
  "src/probe/smoke.ts": ["schema-violation"],
  "src/cli/format/conversation.ts": ["schema-violation"],
  "src/cli/answer/probe-answer.ts": ["schema-violation"],
  "src/contract/probe-report.ts": ["schema-violation", "lambda"],
  "src/cli/judge/probe-results.ts": ["schema-violation"],
  "src/core/trace/event-reader.ts": ["metric"],
  "src/core/release/index-check.ts": ["metric"],
  "src/cli/commands/index-store.ts": ["metric"],
  "src/cli/format/report-markdown.ts": ["coverage"],
  "src/spec/rollout-schema.ts": ["custom"],
  "src/spec/access-schema.ts": ["custom"],
};

/** Names of driver folders that are common words, with what core and spec mean by them. */
const COMMON_WORDS: Readonly<Record<string, string>> = {
  gateway: "a data plane with a socket, whoever drives it",
  http: "the protocol",
  memory: "what a process holds",
  node: "a part of a rule's tree",
  sql: "no product but a language",
};

/** Products that a file of core or spec names, in its code or in its words. */
function productsNamedIn(file: SourceFile, products: readonly string[]): readonly string[] {
  const isInside = ["core", "spec"].includes(layerOf(file.path));
  return isInside ? products.filter((product) => new RegExp(`\\b${product}\\b`, "i").test(file.text)) : [];
}

/** Folders that name a gate, presets left out: one for a gate that is defined in one place. */
function foldersNaming(gate: string, files: readonly SourceFile[]): readonly string[] {
  const naming = files.filter(({ path, text }) => {
    const isOther = OTHER_WORDS[path]?.includes(gate) ?? false;
    return !isOther && !path.startsWith("src/spec/preset/") && stripComments(text).includes(`"${gate}"`);
  });
  return [...new Set(naming.map(({ path }) => posix.dirname(path)))];
}

const sources = filesUnder(["src"], [".ts"]);
const isTest = (file: SourceFile) => file.path.endsWith(".test.ts");
const code = sources.filter((file) => !isTest(file));
const stripComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:])\/\/.*$/gm, "$1");
describe("tidy", () => {
  it("finds sources, so that an empty search cannot pass", () => {
    expect(code.length).toBeGreaterThan(30);
  });

  it("imports only inward, by the layer table", () => {
    const problems = code.flatMap((file) => importsOf(file.text).map((specifier) => importProblem(file, specifier)));
    expect(problems.filter((problem) => problem !== null)).toEqual([]);
  });

  it("keeps clock, randomness, I/O and environment out of core", () => {
    const problems = code
      .filter((file) => layerOf(file.path) === "core")
      .flatMap((file) =>
        BANNED_IN_CORE.filter((word) => word.test(stripComments(file.text))).map((word) => `${file.path}: ${word}`),
      );
    expect(problems).toEqual([]);
  });

  it("keeps time and randomness behind their ports wherever a simulation must hold the code", () => {
    const problems = code
      .filter((file) => !AMBIENT_PLACES.some((place) => file.path.startsWith(place)))
      .flatMap((file) =>
        AMBIENT.filter((word) => word.test(stripComments(file.text))).map((word) => `${file.path}: ${word}`),
      );
    expect(problems).toEqual([]);
  });

  it("keeps files readable: 400 lines at most, tests 600; longer than 300 is printed", () => {
    for (const file of code.filter((file) => file.lines > WARN_LINES))
      console.warn(`tidy: ${file.path} has ${file.lines} lines`);
    const problems = sources.filter((file) => file.lines > (isTest(file) ? MAX_TEST_LINES : MAX_LINES));
    expect(problems.map((file) => `${file.path}: ${file.lines} lines`)).toEqual([]);
  });

  it("names files for what they hold, in kebab-case", () => {
    const names = sources.map((file) => file.path);
    expect(names.filter((path) => BANNED_NAMES.test(path) || /[A-Z_]/.test(path))).toEqual([]);
  });

  it("has named exports only", () => {
    expect(code.filter((file) => /^export default/m.test(file.text)).map((file) => file.path)).toEqual([]);
  });

  it("gives every export of core, ports, edge, fence and spec a docstring where its name does not say it all", () => {
    const bare = code
      .filter(
        (file) =>
          ["core", "ports", "plane", "edge", "fence"].includes(layerOf(file.path)) && !file.path.endsWith("index.ts"),
      )
      .filter((file) => /^export (async )?function/m.test(file.text) && !/\/\*\*/.test(file.text));
    expect(bare.map((file) => file.path)).toEqual([]);
  });

  it("keeps every gate in one folder of the judge, named nowhere else but in presets; a family has at most 8 files", () => {
    const folders = GATE_NAMES.map((gate) => [gate, foldersNaming(gate, code)] as const);
    expect(
      folders.filter(([, found]) => found.length !== 1 || !/^src\/core\/judge\/\w+$/.test(found[0] ?? "")),
    ).toEqual([]);
    const families = code.map(({ path }) => posix.dirname(path)).filter((path) => path.startsWith("src/core/judge/"));
    expect(families.filter((path) => families.filter((other) => other === path).length > 8)).toEqual([]);
    const stray: SourceFile = {
      path: "src/cli/commands/plan.ts",
      text: `if (gate === "${GATE_NAMES[0]}") {}`,
      lines: 1,
    };
    expect(foldersNaming(GATE_NAMES[0] ?? "", [...code, stray])).toHaveLength(2);
  });

  it("names no driver's product in core and spec", () => {
    const folders = code.flatMap(({ path }) => /^src\/drivers\/\w+\/([^/]+)\//.exec(path)?.[1] ?? []);
    const products = [...new Set([...folders, ...METRIC_DRIVERS.map(({ product }) => product)])];
    expect(Object.keys(COMMON_WORDS).filter((word) => !products.includes(word))).toEqual([]);
    const named = products.filter((product) => COMMON_WORDS[product] === undefined);
    expect(named).toEqual(expect.arrayContaining(["datadog", "influxdb-flux", "postgres", "redis", "pglite"]));
    expect(code.flatMap((file) => productsNamedIn(file, named).map((product) => `${file.path}: ${product}`))).toEqual(
      [],
    );
    const stray = { path: "src/spec/plan.ts", text: 'if (source === "datadog") {}', lines: 1 };
    expect(productsNamedIn(stray, named)).toEqual(["datadog"]);
  });

  it("has no skipped or focused test", () => {
    const tests = [...sources.filter(isTest), ...filesUnder(["test"], [".test.ts"])];
    expect(
      tests.filter((file) => /\b(it|describe|test)\.(only|skip|todo)\(/.test(file.text)).map((file) => file.path),
    ).toEqual([]);
  });

  it("speaks of the product alone: no machine path and no registry host", () => {
    const texts = filesUnder(["src", "test", "tools", "docs", "bench"], [".ts", ".mjs", ".md", ".json", ".yaml"]);
    const foreign = /(^|[\s"'`(])\/(work|root|home)\/|registry\.npmjs|deb\.debian/;
    const own = "tools/tidy.test.ts";
    expect(texts.filter((file) => file.path !== own && foreign.test(file.text)).map((file) => file.path)).toEqual([]);
  });

  it("would notice: a core file importing a driver, a clock or a package is a problem", () => {
    const file: SourceFile = { path: "src/core/rollout/step.ts", text: "", lines: 1 };
    expect(importProblem(file, "../../drivers/store/memory/driver.ts")).toContain("may not import drivers");
    expect(importProblem(file, "node:fs")).toContain("may not import node:fs");
    expect(importProblem(file, "zod")).toContain("may not import the package zod");
    expect(BANNED_IN_CORE.some((word) => word.test("const now = Date.now();"))).toBe(true);
  });
});
