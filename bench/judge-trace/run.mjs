// `sluice judge` on events and on windows, beside bare JSON.parse over the same lines in the same run.
//   npm run build && node bench/judge-trace/run.mjs [rounds] [--short]
// Bytes come from a seeded generator; the one file it needs lies in the temporary folder and is deleted at the end.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { median, pinToOneCore, settle } from "../measure.mjs";
import { eventBlocks } from "./events.mjs";
import { windowLines } from "./windows.mjs";

const DIST = process.env.SLUICE_DIST ?? fileURLToPath(new URL("../../dist", import.meta.url));
const load = (path) => import(pathToFileURL(join(DIST, path)).href);
const MAIN = join(DIST, "cli", "main.js");
const PEAK = fileURLToPath(new URL("peak.mjs", import.meta.url));
const isShort = process.argv.includes("--short");
const ROUNDS = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? 7);
const IN_PROCESS = 200_000;
const MILLION = 1_000_000;
const CHUNK_BYTES = 262_144;
const ARGV = ["judge", "--json", "--only", "trace", "--hold", "0", "--split", "9000:1000"];

// The processes that are measured by themselves come first, before this one is bound to one core.
if (process.env.SLUICE_BENCH_PINNED !== "1") {
  const ends = await commandRows();
  process.env.SLUICE_BENCH_COMMAND = JSON.stringify(ends);
}
pinToOneCore();
const command = JSON.parse(process.env.SLUICE_BENCH_COMMAND ?? "[]");
settle([...(await inProcessGoals()), ...commandGoals(command)]);

/** One run of the real command; `feed` writes its stdin, or is null when it reads a file. */
async function runCommand(argv, feed) {
  const began = performance.now();
  const child = spawn(process.execPath, ["--import", pathToFileURL(PEAK).href, MAIN, ...argv], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const heard = { out: "", err: "" };
  child.stdout.on("data", (data) => (heard.out += data));
  child.stderr.on("data", (data) => (heard.err += data));
  const closed = once(child, "close");
  if (feed !== null) for (const block of feed) if (!child.stdin.write(block)) await once(child.stdin, "drain");
  child.stdin.end();
  const [code] = await closed;
  const ms = performance.now() - began;
  const answer = JSON.parse(heard.out);
  if (code !== 0 || answer.verdict !== "pass")
    throw new Error(`judge said ${answer.verdict} (exit ${code}): ${heard.err}`);
  return { ms, events: answer.events, peakMiB: Number(/peak (\d+) KiB/.exec(heard.err)?.[1]) / 1_024 };
}

async function commandRows() {
  const folder = await mkdtemp(join(tmpdir(), "sluice-judge-trace-"));
  try {
    const trace = { seed: 7, perSecond: 1_000 };
    const path = join(folder, "trace.ndjson");
    const file = createWriteStream(path);
    for (const block of eventBlocks({ ...trace, events: MILLION })) if (!file.write(block)) await once(file, "drain");
    file.end();
    await once(file, "close");
    const rows = [{ name: "1 M events from a file", ...(await runCommand([...ARGV, "--trace", path], null)) }];
    for (const millions of isShort ? [1] : [1, 10]) {
      const feed = eventBlocks({ ...trace, events: millions * MILLION });
      const run = await runCommand([...ARGV, "--trace", "-"], feed);
      rows.push({ name: `${millions} M events from a pipe (with the generator beside it)`, ...run });
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function commandGoals(rows) {
  for (const { name, ms, events, peakMiB } of rows)
    console.log(
      `command, ${name}: ${(ms / 1e3).toFixed(1)} s, ${perSecond(events, ms)}, peak ${peakMiB.toFixed(0)} MiB`,
    );
  const [, one, ten] = rows;
  if (one === undefined || ten === undefined) return [];
  const found = `${one.peakMiB.toFixed(0)} MiB at 1 M, ${ten.peakMiB.toFixed(0)} MiB at 10 M`;
  return [
    {
      goal: "memory flat from 1 M to 10 M events (at most 32 MiB more, 4 bytes an event)",
      found,
      met: ten.peakMiB <= one.peakMiB + 32,
    },
  ];
}

function perSecond(events, ms) {
  return `${(((events / ms) * 1e3) / 1e3).toFixed(0)} k events/s`;
}

async function inProcessGoals() {
  const { LineReader } = await load("cli/judge/line-reader.js");
  const { EventJudge } = await load("core/trace/event-judge.js");
  const { WindowJudge } = await load("core/trace/window-judge.js");
  const { ArmNames } = await load("core/trace/arm-names.js");
  const { rulesOfPreset } = await load("cli/judge/rules.js");
  const rules = { ...rulesOfPreset("default"), holdMs: 0, splitBp: 1_000, probes: null, isTraceOnly: true };

  const bytes = Buffer.concat(
    [...eventBlocks({ seed: 7, perSecond: 1_000, events: IN_PROCESS })].map((block) => Buffer.from(block)),
  );
  const lines = bytes
    .toString("latin1")
    .trimEnd()
    .split("\n")
    .map((line) => Buffer.from(line).toString("latin1"));
  const windows = await windowLines(load, { seed: 7, perSecond: 2_000, windowMs: 250, windows: 4_000 });

  const judged = (judge, input) => {
    const reader = new LineReader(judge);
    for (let at = 0; at < input.length; at += CHUNK_BYTES) reader.push(input.subarray(at, at + CHUNK_BYTES));
    reader.end();
    const { kind } = judge.finish();
    if (kind !== "pass") throw new Error(`a healthy trace was judged ${kind}`);
  };
  const rows = {
    bare: () => {
      let total = 0;
      for (const line of lines) total += JSON.parse(line).status;
      if (total < 200 * IN_PROCESS) throw new Error("not every line was parsed");
    },
    events: () => judged(new EventJudge(rules, new ArmNames()), bytes),
    windows: () => judged(new WindowJudge(rules), windows.bytes),
  };
  const found = Object.fromEntries(Object.keys(rows).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++)
    for (const [name, run] of Object.entries(rows)) {
      // Processor time: this process is bound to one core, and others may want it too.
      const began = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(began);
      if (round > 0) found[name].push((user + system) / 1_000); // The first round warms up.
    }
  const ms = (name) => median(found[name]);
  const spread = (name) => `[${Math.min(...found[name]).toFixed(0)}..${Math.max(...found[name]).toFixed(0)} ms]`;
  const ratios = found.bare.map((bare, round) => bare / found.events[round]);
  console.log(
    `bare JSON.parse, ${lines.length} lines of ${(bytes.length / lines.length).toFixed(0)} bytes: ${perSecond(IN_PROCESS, ms("bare"))} ${spread("bare")}`,
  );
  console.log(`judged from events, same bytes: ${perSecond(IN_PROCESS, ms("events"))} ${spread("events")}`);
  console.log(
    `judged from ${windows.count} windows that stand for ${windows.events} events: ${perSecond(windows.events, ms("windows"))}, ${((windows.count / ms("windows")) * 1e3).toFixed(0)} windows/s ${spread("windows")}`,
  );
  const ratio = median(ratios);
  const windowRate = (windows.events / ms("windows")) * 1e3;
  return [
    {
      goal: "events at least 0.7x bare JSON.parse",
      found: `${ratio.toFixed(2)}x [${Math.min(...ratios).toFixed(2)}..${Math.max(...ratios).toFixed(2)}]`,
      met: ratio >= 0.7,
    },
    {
      goal: "at least 1 M events/s from windows",
      found: `${(windowRate / 1e6).toFixed(2)} M events/s`,
      met: windowRate >= 1e6,
    },
  ];
}
