import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = join(ROOT, "node_modules", ".cache", "sluice-test");

interface Bundler {
  rolldown(options: { input: string; platform: "node"; logLevel: "silent"; external: RegExp }): Promise<{
    generate(options: {
      format: "esm";
      codeSplitting: false;
    }): Promise<{ output: readonly { type: string; code?: string }[] }>;
    close(): Promise<void>;
  }>;
}

/** The bundler that vitest brings through vite. */
async function bundler(): Promise<Bundler> {
  const vitest = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"));
  const vite = createRequire(vitest.resolve("vite/package.json"));
  return (await import(pathToFileURL(vite.resolve("rolldown")).href)) as Bundler;
}

/**
 * A program for a child process, made from a TypeScript entry beside this file, so that a test starts what the sources
 * say now and not what was last built.
 * @returns its path
 */
export async function bundleEntry(name: string): Promise<string> {
  const { rolldown } = await bundler();
  const input = fileURLToPath(new URL(name, import.meta.url));
  const build = await rolldown({ input, platform: "node", logLevel: "silent", external: /^(?![./]|[A-Za-z]:)/ });
  const { output } = await build.generate({ format: "esm", codeSplitting: false });
  await build.close();
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `${basename(name, ".ts")}.${process.pid}.mjs`);
  process.once("exit", () => rmSync(path, { force: true }));
  writeFileSync(path, output.map(({ code }) => code ?? "").join(""));
  const template = join(ROOT, "dist", "drivers", "store", "pglite", "template.tar.gz");
  if (existsSync(template)) copyFileSync(template, join(FOLDER, "template.tar.gz"));
  return path;
}
