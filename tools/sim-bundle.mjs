import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER_OF_RUN = join(ROOT, "node_modules", ".cache", "sluice-sim", String(process.pid));

/** The bundler that vitest brings through vite. */
async function bundler() {
  const vitest = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"));
  const vite = createRequire(vitest.resolve("vite/package.json"));
  return import(pathToFileURL(vite.resolve("rolldown")).href);
}

/** A plugin that gives one source file with another text. The file on disk stays as it is. */
function patched({ file, find, replace }) {
  const path = join(ROOT, file);
  const text = readFileSync(path, "utf8");
  if (text.split(find).length !== 2) throw new Error(`${file} has not exactly one of: ${find}`);
  return { name: "patched", load: (id) => (id === path ? { code: text.replace(find, () => replace) } : null) };
}

let made = 0;

/**
 * The simulation as one module made from the sources as they are now, so that it runs on every Node.js.
 * @param patch `{file, find, replace}`: a source that is changed in the module alone
 * @returns URL to import
 */
export async function bundleSimulation(patch = null) {
  const { rolldown } = await bundler();
  const build = await rolldown({
    input: join(ROOT, "test", "simulation", "main.ts"),
    platform: "node",
    logLevel: "silent",
    external: /^(?![./]|[A-Za-z]:)/,
    plugins: patch === null ? [] : [patched(patch)],
  });
  const { output } = await build.generate({ format: "esm", codeSplitting: false });
  await build.close();
  mkdirSync(FOLDER_OF_RUN, { recursive: true });
  const path = join(FOLDER_OF_RUN, `simulation.${made++}.mjs`);
  if (made === 1) process.once("exit", () => rmSync(FOLDER_OF_RUN, { recursive: true, force: true }));
  writeFileSync(path, output.map(({ code }) => code ?? "").join(""));
  return pathToFileURL(path).href;
}
