// Shared by the benchmarks in this folder: one core, rows interleaved, medians with their full spread.
import { spawnSync } from "node:child_process";

/** Runs this process again on one core, when the system has taskset: two cores at different clocks are two machines. */
export function pinToOneCore() {
  if (process.env.SLUICE_BENCH_PINNED === "1" || spawnSync("taskset", ["--version"]).error !== undefined) return;
  const command = ["-c", "0", process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const env = { ...process.env, SLUICE_BENCH_PINNED: "1" };
  process.exit(spawnSync("taskset", command, { stdio: "inherit", env }).status ?? 1);
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Median and the 95 % interval of it that needs no law of the values: two of them, by rank. */
export function medianRange(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const below = Math.max(0, Math.floor(sorted.length / 2 - 0.98 * Math.sqrt(sorted.length)));
  return [median(sorted), sorted[below], sorted[sorted.length - 1 - below]];
}

/**
 * Measures every row once a round, so that a slow minute of the machine falls on all of them, and returns ns per
 * operation by row name: median, lowest and highest round. `perCall` is the number of operations of one call.
 */
export async function interleave(measure, rows, rounds, minCpuMs) {
  const found = new Map(rows.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, run, perCall = 1 } of rows) {
      const { avg } = await measure(run, { min_cpu_time: minCpuMs * 1e6 });
      found.get(name).push(avg / perCall);
    }
  }
  return new Map(
    [...found].map(([name, ns]) => [name, { ns: median(ns), low: Math.min(...ns), high: Math.max(...ns) }]),
  );
}

/** Prints the rows, with the ratio to `peer` where one is named. */
export function printRows(results, peer) {
  const base = results.get(peer)?.ns;
  for (const [name, { ns, low, high }] of results) {
    const ratio = base === undefined ? "" : `${(base / ns).toFixed(2).padStart(8)}x`;
    const spread = `[${low.toFixed(1)}..${high.toFixed(1)}]`;
    console.log(
      `${name.padEnd(62)} ${ns.toFixed(1).padStart(9)} ns  ${spread.padEnd(20)} ${(1e3 / ns).toFixed(2).padStart(8)} M/s ${ratio}`,
    );
  }
}

/** Prints each goal with what was found and exits 1 when one is missed. */
export function settle(goals) {
  for (const { goal, found, met } of goals) console.log(`${met ? "met   " : "MISSED"}  ${goal}: ${found}`);
  process.exit(goals.every(({ met }) => met) ? 0 : 1);
}
