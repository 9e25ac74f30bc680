// `sluice judge --format …` on a million lines of each product's access log, beside bare JSON.parse of the same bytes.
//   npm run build && node bench/logs/run.mjs [--short]
// Each log is written to a file in the temporary folder and deleted again. The command judges it in a process of its
// own, whose peak memory is taken. Then slices of it are read in turn by bare JSON.parse and by the judge.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { fileURLToPath, pathToFileURL } from "node:url";
import { median, pinToOneCore, settle } from "../measure.mjs";
import { LOGS, requests } from "./lines.mjs";

pinToOneCore();
const DIST = process.env.SLUICE_DIST ?? fileURLToPath(new URL("../../dist", import.meta.url));
const load = (path) => import(pathToFileURL(join(DIST, path)).href);
const MAIN = join(DIST, "cli", "main.js");
const PEAK = pathToFileURL(fileURLToPath(new URL("../judge-trace/peak.mjs", import.meta.url))).href;
const LINES = process.argv.includes("--short") ? 100_000 : 1_000_000;
const SLICE_BYTES = LINES < 1_000_000 ? 1 << 20 : 8 << 20;
/** What the command reads at once, and at which bare JSON.parse is fastest too. */
const CHUNK_BYTES = 65_536;
const WARM_SLICES = 2;
const RATIO_MIN = 0.6;
const PEAK_MIB_MAX = 256;

const { LineReader } = await load("cli/judge/line-reader.js");
const { LogJudge } = await load("cli/judge/log-judge.js");
const { LOG_FORMATS } = await load("cli/judge/format/formats.js");
const { EventJudge } = await load("core/trace/event-judge.js");
const { ArmNames } = await load("core/trace/arm-names.js");
const { rulesOfPreset } = await load("cli/judge/rules.js");
const rules = { ...rulesOfPreset("default"), holdMs: 0, splitBp: null, probes: null, isTraceOnly: true };

const folder = mkdtempSync(join(tmpdir(), "sluice-logs-"));
const goals = [];
try {
  for (const [name, log] of Object.entries(LOGS)) {
    const path = join(folder, `${name}.log`);
    writeLog(path, log);
    goals.push(memoryGoal(name, path));
    goals.push(...ratioGoals(name, log, path));
    rmSync(path);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
settle(goals);

function writeLog(path, { header, lineOf }) {
  const file = openSync(path, "w");
  let block = header === null ? "" : `${header}\n`;
  for (const request of requests({ count: LINES, perSecond: 1_000 })) {
    block += `${lineOf(request)}\n`;
    if (block.length < 1 << 20) continue;
    writeSync(file, block);
    block = "";
  }
  writeSync(file, block);
  closeSync(file);
}

/** The real command on the file. */
function memoryGoal(name, path) {
  const argv = ["judge", "--json", "--only", "trace", "--hold", "0", "--trace", path];
  const format = name === "events" ? [] : ["--format", name];
  const run = spawnSync(process.execPath, ["--import", PEAK, MAIN, ...argv, ...format], { encoding: "utf8" });
  const answer = JSON.parse(run.stdout);
  const isWhole = answer.events === LINES && answer.malformed === 0 && Object.keys(answer.unread).length === 0;
  if (!isWhole) throw new Error(`${name}: ${answer.events} events, ${answer.malformed} malformed: ${run.stderr}`);
  const peakMiB = Number(/peak (\d+) KiB/.exec(run.stderr)?.[1]) / 1_024;
  return {
    goal: `${name}: ${LINES} lines in at most ${PEAK_MIB_MAX} MiB`,
    found: `${peakMiB.toFixed(0)} MiB, judged ${answer.verdict}`,
    met: peakMiB <= PEAK_MIB_MAX,
  };
}

/** Reads part of a file as bytes. */
function readPart(file, from, to, push) {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let at = from; at < to; ) {
    const count = readSync(file, buffer, 0, Math.min(CHUNK_BYTES, to - at), at);
    push(buffer.subarray(0, count));
    at += count;
  }
}

/** Decode, split into lines, JSON.parse each: nothing else. A line that a slice cuts is left out. */
function bare(file, from, to, isJson) {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let isFirst = from > 0;
  let count = 0;
  readPart(file, from, to, (bytes) => {
    const lines = (rest + decoder.write(bytes)).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (isFirst) isFirst = false;
      else if (isJson ? JSON.parse(line) !== null : line !== "") count++;
    }
  });
  return count;
}

function ratioGoals(name, { isJson }, path) {
  const format = name === "events" ? null : LOG_FORMATS[name]();
  const events = new EventJudge(rules, new ArmNames());
  const taker = format === null ? events : new LogJudge(events, format, null);
  const reader = new LineReader(taker, format?.lines);
  const size = statSync(path).size;
  const file = openSync(path, "r");
  const found = { bare: [], judged: [] };
  for (let from = 0; from < size; from += SLICE_BYTES) {
    const to = Math.min(size, from + SLICE_BYTES);
    const runs = {
      bare: () => bare(file, from, to, isJson),
      judged: () => readPart(file, from, to, (bytes) => reader.push(bytes)),
    };
    for (const which of Object.keys(runs)) found[which].push(cpuMs(runs[which]) / (to - from));
  }
  closeSync(file);
  reader.end();
  if (taker.finish().counts.lines !== LINES) throw new Error(`${name}: not every line was judged`);
  const ratio = median(found.bare.map((ms, slice) => ms / found.judged[slice]).slice(WARM_SLICES));
  const rate = LINES / (median(found.judged.slice(WARM_SLICES)) * size);
  const text = `${ratio.toFixed(2)}x, ${rate.toFixed(0)} k lines/s`;
  if (!isJson) {
    console.log(`${name}: no JSON, of bare splitting ${text}`);
    return [];
  }
  const goal = `${name}: at least ${RATIO_MIN}x bare JSON.parse of the same bytes`;
  return [{ goal, found: text, met: ratio >= RATIO_MIN }];
}

/** Processor time: others may want the core too. */
function cpuMs(run) {
  const began = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}
