// Plays seeded scenarios of controller and data planes in virtual time and checks what must hold after every event.
//   npm run sim -- --seeds 1000            seeds 1 to 1000
//   npm run sim -- --seed 42               this one, with its last events
//   npm run sim -- --from 5000 --seeds 100
//   npm run sim -- --seeds 10000 --processes 2
// Exits 1 when a law is broken; the seed is then told with its last events and a smaller scenario that still fails.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundleSimulation } from "./sim-bundle.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const text = { type: "string" };
const { values } = parseArgs({
  options: { seeds: { ...text, default: "1" }, from: { ...text, default: "1" }, seed: text, processes: text },
});
const simulation = await bundleSimulation();
const parts = partsOf(values);
const startedMs = performance.now();
const codes = await Promise.all(parts.map((args) => play(args)));
const seconds = (performance.now() - startedMs) / 1_000;
if (parts.length > 1) console.log(`${values.seeds} seeds by ${parts.length} processes in ${seconds.toFixed(1)} s`);
process.exit(Math.max(...codes));

/** The arguments of each process; consecutive seeds where there are several. */
function partsOf({ seed, seeds, from, processes }) {
  if (seed !== undefined) return [["--seed", seed]];
  const count = Math.max(1, Math.min(Number(processes ?? 1), Number(seeds)) || 1);
  if (count === 1) return [["--from", from, "--seeds", seeds]];
  const begin = (part) => Math.floor((Number(seeds) * part) / count);
  return Array.from({ length: count }, (_none, part) => {
    const [first, next] = [begin(part), begin(part + 1)];
    return ["--from", String(Number(from) + first), "--seeds", String(next - first)];
  });
}

async function play(args) {
  const script = `const { main } = await import(${JSON.stringify(simulation)}); process.exit(await main(process.argv.slice(1)));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, "--", ...args], { stdio: "inherit" });
  const [code] = await once(child, "close");
  return code ?? 1;
}
