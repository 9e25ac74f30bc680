import { posix } from "node:path";
import type { SourceFile } from "./source-files.ts";

/** A row says what a layer may import besides itself. */
export type Layers = Readonly<
  Record<string, { readonly layers: readonly string[]; readonly node: boolean; readonly npm: readonly string[] }>
>;

/** What each layer may import besides itself. `npm` lists packages; "*" means any installed one. */
export const LAYERS: Layers = {
  core: { layers: [], node: false, npm: [] },
  spec: { layers: ["core"], node: false, npm: ["yaml", "zod", "croner"] },
  ports: { layers: ["core"], node: false, npm: [] },
  contract: { layers: ["core"], node: false, npm: ["zod"] },
  plane: { layers: ["core", "ports"], node: false, npm: [] },
  edge: { layers: ["core", "ports", "plane"], node: false, npm: [] },
  fence: { layers: ["core", "ports"], node: false, npm: [] },
  probe: {
    layers: ["core", "spec", "ports"],
    node: false,
    npm: ["yaml", "zod", "@noble/hashes", "eventsource-parser", "csv-parse", "hyparquet"],
  },
  link: { layers: ["core", "ports", "plane"], node: true, npm: ["undici", "eventsource-parser"] },
  gateway: { layers: ["core", "edge", "ports", "plane", "link"], node: true, npm: ["undici"] },
  haproxy: { layers: ["core", "ports", "plane", "link"], node: true, npm: [] },
  lab: { layers: ["core", "ports", "probe"], node: true, npm: ["*"] },
  drivers: { layers: ["core", "spec", "ports"], node: true, npm: ["*"] },
  testing: { layers: ["core", "ports", "fence"], node: false, npm: [] },
  controller: {
    layers: ["core", "contract", "spec", "ports", "fence", "plane"],
    node: false,
    npm: ["hono", "zod", "@noble/hashes"],
  },
  host: {
    layers: [
      "core",
      "contract",
      "spec",
      "ports",
      "fence",
      "plane",
      "probe",
      "link",
      "gateway",
      "haproxy",
      "drivers",
      "controller",
    ],
    node: true,
    npm: ["@hono/node-server"],
  },
  cli: { layers: ["*"], node: true, npm: ["*"] },
};

/** The places where core touches a package: what a well-kept library does is not our own code. */
const CORE_PACKAGES: Readonly<Record<string, string>> = {
  "src/core/stats/special.ts": "@stdlib/",
  "src/core/judge/custom/expression.ts": "@marcbachmann/cel-js",
  "src/core/judge/custom/rule-tree.ts": "@marcbachmann/cel-js",
  "src/core/release/merkle.ts": "@noble/hashes/",
};

/** Files of a layer without a machine that read its disk, because both the laboratory and the host need them. */
const READS_DISK: ReadonlySet<string> = new Set(["src/probe/corpus-file.ts"]);

/** Layer of a source file. */
export const layerOf = (path: string) => path.split("/")[1] ?? "";

/** Folders of what several products of one port have in common, enough of it to fill one. */
const SHARED: ReadonlySet<string> = new Set(["store/sql"]);

/**
 * A driver belongs to one folder, `drivers/<port>/<product>`, and may not see another one; what all drivers of a port
 * share lies beside their folders, or in a shared one.
 */
function driverOf(path: string): string | null {
  const [, , port, product, ...file] = path.split("/");
  return file.length === 0 || SHARED.has(`${port}/${product}`) ? null : `${port}/${product}`;
}

/** What is wrong with one import of a file by the layer table; null when nothing is. */
export function importProblem(file: SourceFile, specifier: string, table: Layers = LAYERS): string | null {
  const layer = layerOf(file.path);
  const rule = table[layer];
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
