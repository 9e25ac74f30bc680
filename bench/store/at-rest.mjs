// What `sluice serve` takes while nothing happens: resident memory and processor time of the real process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const SETTLE_MS = 3_000;
const LOOK_MS = 10_000;
const TICK_MS = 10;

const statusOf = (pid, name) =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

/** Processor time of a process so far, in milliseconds. */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** @param store address of a server; null for the embedded database */
export async function atRest(dist, store) {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-rest-"));
  const more = store === null ? [] : ["--store", store];
  const args = [join(dist, "cli/main.js"), "serve", "--data", folder, "--port", "0", "--json", ...more];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(child.stdout, "data");
    await sleep(SETTLE_MS);
    const before = cpuMs(child.pid);
    await sleep(LOOK_MS);
    const cpu = ((cpuMs(child.pid) - before) / LOOK_MS) * 100;
    return { mb: statusOf(child.pid, "VmRSS") / 1e3, mbPeak: statusOf(child.pid, "VmHWM") / 1e3, cpu };
  } finally {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}
