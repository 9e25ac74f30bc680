import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTurn } from "./in-turn.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "test/package");
const isInstalled = existsSync(join(folder, "node_modules/publint"));

if (!isInstalled) {
  const install = "npm ci --prefix test/package --ignore-scripts";
  if (process.env["CI"] !== undefined) throw new Error(`the package checks are not installed: run ${install}`);
  console.warn(`skipped: the packed package; to run it: ${install}`);
}

const { name, exports: entries } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  name: string;
  exports: Record<string, string>;
};

/** Node.js lines the package says it runs on; 22 and 24 come as packages that need no install script. */
const NODES: readonly (readonly [line: string, binary: string])[] = [
  ["20", process.execPath],
  ["22", join(folder, "node_modules/node-22/bin/node")],
  ["24", join(folder, "node_modules/node-24/bin/node")],
];

/** The story takes half a minute, everything else seconds. */
const STORY_ON = inTurn(NODES, 1).map(([line]) => line);

function run(command: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): string {
  const done = spawnSync(command, args, { cwd, encoding: "utf8", env: { ...process.env, NODE_ENV: "", ...more } });
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(" ")}: exit ${done.status}\n${done.stdout}${done.stderr}`);
  return done.stdout;
}

describe.runIf(isInstalled)("the packed package in an empty project", { timeout: 300_000 }, () => {
  let [place, tarball, project] = ["", "", ""];

  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), "packed-"));
    const packed = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", place], root));
    tarball = join(place, packed[0].filename);
    project = join(place, "project");
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "stranger", private: true, type: "module" }));
    run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", tarball], project);
  }, 300_000);
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  it("brings no install script, of its own or of a dependency", () => {
    const { packages } = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"));
    expect(Object.keys(packages).length).toBeGreaterThan(5);
    expect(Object.keys(packages).filter((path) => packages[path].hasInstallScript === true)).toEqual([]);
  });

  it("holds what it needs and nothing of the workshop", () => {
    const top = readdirSync(join(project, "node_modules", name)).sort();
    expect(top).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "deploy", "dist", "docs", "package.json", "schema"]);
    expect(existsSync(join(project, "node_modules", name, "dist/.built"))).toBe(false);
  });

  it("passes publint and are-the-types-wrong", () => {
    const bin = (tool: string) => join(folder, "node_modules/.bin", tool);
    expect(run(bin("publint"), ["run", tarball, "--strict"], folder)).toContain("All good");
    // ESM only, and subpaths only: what old resolvers see of them is not promised.
    run(bin("attw"), [tarball, "--profile", "esm-only"], folder);
  });

  it.each(["node16", "bundler", "worker"])("has types that resolve under %s", (kind) => {
    cpSync(join(folder, "stranger"), project, { recursive: true });
    const isWorker = kind === "worker";
    const compilerOptions = {
      strict: true,
      target: "ES2023",
      lib: isWorker ? ["ES2023", "WebWorker"] : ["ES2023", "DOM", "DOM.Iterable"],
      types: [],
      module: kind === "node16" ? "node16" : "esnext",
      moduleResolution: kind === "node16" ? "node16" : "bundler",
      outDir: kind,
    };
    const files = isWorker ? ["worker.ts"] : ["program.ts", "run.ts"];
    writeFileSync(join(project, `tsconfig.${kind}.json`), JSON.stringify({ compilerOptions, files }));
    run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", `tsconfig.${kind}.json`], project);
    expect(existsSync(join(project, kind, isWorker ? "worker.js" : "run.js"))).toBe(true);
  });

  const subpaths = () => {
    const drivers = readdirSync(join(root, "src/drivers"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith("index.ts"))
      .map((path) => `drivers/${path.replace("/index.ts", "")}`);
    const plain = Object.keys(entries).filter((path) => !path.includes("*") && !path.endsWith(".json"));
    return [...plain.map((path) => path.slice(2)), ...drivers];
  };

  describe.each(NODES.filter(([, binary]) => existsSync(binary)))("on Node.js %s", (line, binary) => {
    it("runs a compiled TypeScript program and every entry, without any optional package", () => {
      expect(run(binary, ["-p", "process.versions.node"], project)).toMatch(new RegExp(`^${line}\\.`));
      const found = JSON.parse(run(binary, [join(project, "node16/run.js")], project));
      expect(found).toEqual({
        statuses: [201, 201],
        runs: 1,
        outcome: "done",
        share: 2_500,
        entries: Array.from({ length: 6 }, () => "function"),
      });
      const imports = subpaths().map((path) => `await import("${name}/${path}");`);
      run(binary, ["--input-type=module", "-e", imports.join("\n")], project);
    });

    it("has a command line that says its version, and accepts the rollout file it writes", () => {
      const bin = join(project, "node_modules/.bin/sluice");
      expect(run(binary, [bin, "--version"], project).trim()).toMatch(/^\d+\.\d+\.\d+/);
      const dir = join(project, `rollout-${line}`);
      mkdirSync(dir, { recursive: true });
      run(binary, [bin, "init", "--dir", dir], project);
      expect(run(binary, [bin, "validate", join(dir, "rollout.yaml")], project)).toBeDefined();
    });

    it.runIf(STORY_ON.includes(line))("runs a story of the demo, offline, as npx starts it", () => {
      // The story that ends before its first user: every process and file of the package has a part in it all the same.
      const args = ["--no", "sluice", "demo", "--scenario", "swapped-ids", "--json"];
      const path = `${dirname(binary)}${delimiter}${process.env["PATH"]}`;
      const lines = run("npx", args, project, { PATH: path, npm_config_offline: "true" }).trim().split("\n");
      const { ok, rollouts } = JSON.parse(lines.at(-1) ?? "");
      expect(rollouts).toMatchObject([{ outcome: "rolled-back", cause: { gate: "coverage" }, candidate_requests: 0 }]);
      expect(ok).toBe(true);
    });
  });

  it("runs on every Node.js line in continuous integration", () => {
    if (process.env["CI"] !== undefined) expect(NODES.filter(([, binary]) => !existsSync(binary))).toEqual([]);
  });
});
