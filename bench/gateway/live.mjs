// Document changes under load: node live.mjs [--requests 1000000] [--changes 100]
// wrk keeps 64 connections busy while the gateway adopts a new split at an even pace. Nothing may fail.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { settle } from "../measure.mjs";
import { loadScript, originConfig } from "./configs.mjs";
import { freePort, need, needBuild, start, wrk } from "./processes.mjs";

const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const [wanted, changes] = [option("--requests", 1_000_000), option("--changes", 100)];
need("taskset", "wrk", "nginx");
needBuild();

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
const script = loadScript(folder);
const ports = [await freePort(), await freePort()];
const origin = await start(1, ports[0], "nginx", "-p", folder, "-c", originConfig(folder, ports));
const urls = ports.map((port) => `http://127.0.0.1:${port}`);
const serve = fileURLToPath(new URL("serve.mjs", import.meta.url));
const SLICE_S = 5;
process.env.SLUICE_CHANGE_MS = "250";
const port = await freePort();
const server = await start(0, port, process.execPath, serve, "sluice", String(port), ...urls, "http://127.0.0.1:1");
let [requests, errors] = [0, 0];
while (requests < wanted) {
  const load = await wrk(1, port, 64, SLICE_S, script);
  requests += load.requests;
  errors += load.errors;
  if (load.requests === 0) break;
}
const answer = await fetch(`http://127.0.0.1:${port}/`);
const seq = Number(answer.headers.get("x-sluice-doc").split(".")[1]);
await server.stop();
await origin.stop();
rmSync(folder, { recursive: true });
settle([
  { goal: `at least ${wanted} requests`, found: String(requests), met: requests >= wanted },
  { goal: `at least ${changes} changes meanwhile`, found: String(seq - 1), met: seq - 1 >= changes },
  { goal: "no error", found: String(errors), met: errors === 0 },
]);
