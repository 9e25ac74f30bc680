import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { filesUnder, importsOf, type SourceFile } from "./source-files.ts";

/** What each layer may import besides itself. `npm` lists packages; "*" means any installed one. */
const LAYERS: Readonly<Record<string, { layers: readonly string[]; node: boolean; npm: readonly string[] }>> = {
  core: { layers: [], node: false, npm: [] },
  spec: { layers: ["core"], node: false, npm: ["yaml", "zod"] },
  ports: { layers: ["core"], node: false, npm: [] },
  plane: { layers: ["core", "ports"], node: false, npm: [] },
  edge: { layers: ["core", "ports", "plane"], node: false, npm: [] },
  fence: { layers: ["core", "ports"], node: false, npm: [] },
  probe: { layers: ["core", "spec", "ports"], node: false, npm: ["yaml", "zod", "@noble/hashes"] },
  gateway: { layers: ["core", "edge", "ports", "plane"], node: true, npm: ["undici", "eventsource-parser"] },
  lab: { layers: ["core", "ports", "probe"], node: true, npm: ["*"] },
  drivers: { layers: ["core", "spec", "ports"], node: true, npm: ["*"] },
  testing: { layers: ["core", "ports", "fence"], node: false, npm: [] },
  controller: { layers: ["core", "spec", "ports", "fence"], node: false, npm: ["hono", "zod", "@noble/hashes"] },
  host: {
    layers: ["core", "spec", "ports", "fence", "plane", "probe", "gateway", "drivers", "controller"],
    node: true,
    npm: ["@hono/node-server"],
  },
  cli: { layers: ["*"], node: true, npm: ["*"] },
};

/** The places where core touches a package: special functions and CEL are not our own code (design, "Dependencies"). */
const CORE_PACKAGES: Readonly<Record<string, string>> = {
  "src/core/stats/special.ts": "@stdlib/",
  "src/core/gate/expression.ts": "@marcbachmann/cel-js",
};

/** Files of a layer without a machine that read its disk, because both the laboratory and the host need them. */
const READS_DISK: ReadonlySet<string> = new Set(["src/probe/corpus-file.ts"]);

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
/** Where they may be named: hosts, what people run, the laboratory, and the one place of each library that wraps them. */
const AMBIENT_PLACES = [
  "src/host/",
  "src/cli/",
  "src/lab/",
  "src/testing/",
  "src/fence/system.ts",
  "src/probe/openai-embedder.ts",
  "src/drivers/batch.ts",
  "src/drivers/fence/durable-object/object.ts",
  "src/drivers/health/http/driver.ts",
  "src/drivers/metrics/connection.ts",
  "src/drivers/webhook/node/driver.ts",
];

const BANNED_NAMES = /(^|[-/])(utils?|helpers?|common|manager|misc|impl)([-./]|$)/;
const WARN_LINES = 300;
const MAX_LINES = 400;
const MAX_TEST_LINES = 600;

const sources = filesUnder(["src"], [".ts"]);
const isTest = (file: SourceFile) => file.path.endsWith(".test.ts");
const code = sources.filter((file) => !isTest(file));
const stripComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:])\/\/.*$/gm, "$1");
const layerOf = (path: string) => path.split("/")[1] ?? "";

/**
 * A driver belongs to one folder, `drivers/<port>/<product>`, and may not see another one; what all drivers of a port
 * share lies beside their folders.
 */
const driverOf = (path: string) => (path.split("/").length > 4 ? path.split("/").slice(2, 4).join("/") : null);

function importProblem(file: SourceFile, specifier: string): string | null {
  const layer = layerOf(file.path);
  const rule = LAYERS[layer];
  if (rule === undefined) return `${file.path}: unknown layer "${layer}"`;
  if (specifier.startsWith("node:"))
    return rule.node || READS_DISK.has(file.path) ? null : `${file.path}: ${layer} may not import ${specifier}`;
  if (!specifier.startsWith(".")) {
    const isAllowed =
      rule.npm.includes("*") || rule.npm.some((name) => specifier === name || specifier.startsWith(`${name}/`));
    const corePackage = CORE_PACKAGES[file.path];
    if (isAllowed || (corePackage !== undefined && specifier.startsWith(corePackage))) return null;
    return `${file.path}: ${layer} may not import the package ${specifier}`;
  }
  const target = posix.join(posix.dirname(file.path), specifier);
  if (!target.startsWith("src/")) return `${file.path}: imports ${target}, outside src`;
  const targetLayer = layerOf(target);
  if (targetLayer === layer) {
    const crosses = layer === "drivers" && driverOf(target) !== null && driverOf(target) !== driverOf(file.path);
    return crosses ? `${file.path}: a driver may not import another driver (${target})` : null;
  }
  const isAllowed = rule.layers.includes("*") || rule.layers.includes(targetLayer);
  return isAllowed ? null : `${file.path}: ${layer} may not import ${targetLayer} (${specifier})`;
}

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
