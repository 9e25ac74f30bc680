// `sluice judge --format …` on a million lines of each product's access log, beside bare JSON.parse of the same lines.
//   npm run build && node bench/logs/run.mjs [rounds] [--short]
// Lines come from a seeded generator and are piped; nothing is written to disk.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { median, pinToOneCore, settle } from "../measure.mjs";
import { LOGS, requests } from "./lines.mjs";

const DIST = process.env.SLUICE_DIST ?? fileURLToPath(new URL("../../dist", import.meta.url));
const load = (path) => import(pathToFileURL(join(DIST, path)).href);
const MAIN = join(DIST, "cli", "main.js");
const PEAK = fileURLToPath(new URL("../judge-trace/peak.mjs", import.meta.url));
const isShort = process.argv.includes("--short");
const ROUNDS = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? 5);
const IN_PROCESS = isShort ? 20_000 : 200_000;
const LINES = isShort ? 100_000 : 1_000_000;
const CHUNK_BYTES = 262_144;
const RATIO_MIN = 0.6;
const PEAK_MIB_MAX = 256;

if (process.env.SLUICE_BENCH_PINNED !== "1") process.env.SLUICE_BENCH_COMMAND = JSON.stringify(await commandRows());
pinToOneCore();
settle([...(await ratioGoals()), ...memoryGoals(JSON.parse(process.env.SLUICE_BENCH_COMMAND ?? "[]"))]);

function* blocks({ header, lineOf }, count) {
  let block = header === null ? "" : `${header}\n`;
  for (const request of requests({ count, perSecond: 1_000 })) {
    block += `${lineOf(request)}\n`;
    if (block.length < 1 << 20) continue;
    yield block;
    block = "";
  }
  yield block;
}

/** The real command reads each log from a pipe. */
async function commandRows() {
  const rows = [];
  for (const [name, log] of Object.entries(LOGS)) {
    const argv = ["judge", "--json", "--only", "trace", "--hold", "0", "--trace", "-"];
    const format = name === "events" ? [] : ["--format", name];
    const child = spawn(process.execPath, ["--import", pathToFileURL(PEAK).href, MAIN, ...argv, ...format]);
    const heard = { out: "", err: "" };
    child.stdout.on("data", (data) => (heard.out += data));
    child.stderr.on("data", (data) => (heard.err += data));
    const closed = once(child, "close");
    for (const block of blocks(log, LINES)) if (!child.stdin.write(block)) await once(child.stdin, "drain");
    child.stdin.end();
    await closed;
    const answer = JSON.parse(heard.out);
    const isWhole = answer.events === LINES && answer.malformed === 0 && Object.keys(answer.unread).length === 0;
    if (!isWhole) throw new Error(`${name}: ${answer.events} events, ${answer.malformed} malformed: ${heard.err}`);
    rows.push({ name, verdict: answer.verdict, peakMiB: Number(/peak (\d+) KiB/.exec(heard.err)?.[1]) / 1_024 });
  }
  return rows;
}

function memoryGoals(rows) {
  return rows.map(({ name, verdict, peakMiB }) => ({
    goal: `${name}: ${LINES} lines in at most ${PEAK_MIB_MAX} MiB`,
    found: `${peakMiB.toFixed(0)} MiB, judged ${verdict}`,
    met: peakMiB <= PEAK_MIB_MAX,
  }));
}

async function ratioGoals() {
  const { LineReader } = await load("cli/judge/line-reader.js");
  const { LogJudge } = await load("cli/judge/log-judge.js");
  const { LOG_FORMATS } = await load("cli/judge/format/formats.js");
  const { EventJudge } = await load("core/trace/event-judge.js");
  const { ArmNames } = await load("core/trace/arm-names.js");
  const { rulesOfPreset } = await load("cli/judge/rules.js");
  const rules = { ...rulesOfPreset("default"), holdMs: 0, splitBp: null, probes: null, isTraceOnly: true };

  const judge = (name, bytes) => {
    const format = name === "events" ? null : LOG_FORMATS[name]();
    const events = new EventJudge(rules, new ArmNames());
    const taker = format === null ? events : new LogJudge(events, format, null);
    const reader = new LineReader(taker, format?.lines);
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) reader.push(bytes.subarray(at, at + CHUNK_BYTES));
    reader.end();
    if (taker.finish().counts.lines !== IN_PROCESS) throw new Error(`${name}: not every line was judged`);
  };
  const goals = [];
  for (const [name, log] of Object.entries(LOGS)) {
    const bytes = Buffer.from([...blocks(log, IN_PROCESS)].join(""));
    const lines = log.isJson ? bytes.toString().trimEnd().split("\n") : [];
    const [bare, judged] = [[], []];
    for (let round = 0; round <= ROUNDS; round++) {
      const times = [() => lines.forEach((line) => JSON.parse(line)), () => judge(name, bytes)].map(cpuMs);
      if (round === 0) continue; // The first round warms up.
      bare.push(times[0]);
      judged.push(times[1]);
    }
    const rate = `${(IN_PROCESS / median(judged)).toFixed(0)} k lines/s`;
    if (!log.isJson) console.log(`${name}: no JSON, ${rate}`);
    else {
      const ratio = median(bare.map((ms, round) => ms / judged[round]));
      const goal = `${name}: at least ${RATIO_MIN}x bare JSON.parse of the same lines`;
      goals.push({ goal, found: `${ratio.toFixed(2)}x, ${rate}`, met: ratio >= RATIO_MIN });
    }
  }
  return goals;
}

/** Processor time: others may want the core too. */
function cpuMs(run) {
  const began = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}
