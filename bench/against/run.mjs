// What judging, deciding and recording cost in this checkout and in an older one, in turn in one run.
//   node bench/against/run.mjs --old DIR [decide|telemetry|judge-trace|judge] [--rounds 15]      DIR: a built checkout
// Both see the same requests, latencies and bytes; processor time, the order changing each round, the median of the
// rounds' ratios. `gateway` is measured by bench/gateway/against.mjs.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { document, keys } from "../decide/subject.mjs";
import { eventBlocks } from "../judge-trace/events.mjs";
import { windowLines } from "../judge-trace/windows.mjs";
import { median, pinToOneCore, settle } from "../measure.mjs";

pinToOneCore();
const RATIO_MAX = 1.03;
const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const old = option("--old", null);
if (old === null || !existsSync(join(old, "dist/core/routing/route.js"))) {
  console.error("needs --old DIR, a checkout built with npm run build");
  process.exit(1);
}
const rounds = Number(option("--rounds", 15));
const dists = { old: pathToFileURL(`${resolve(old, "dist")}/`), new: new URL("../../dist/", import.meta.url) };
const load = (which, path) => import(new URL(path, dists[which]).href);
const START_MS = 1_800_000_000_000;

const latencies = Float64Array.from({ length: 4_096 }, (_, i) => 50 + ((i * 7_919) % 2_000));

const MEASURES = {
  async decide(which) {
    const { compileRouteTable, route } = await load(which, "core/routing/route.js");
    const table = compileRouteTable(document);
    return () => {
      let hits = 0;
      for (let i = 0; i < 2_000_000; i++) if (route(table, keys[i & 4_095], null, null).arm === "candidate") hits++;
      if (hits === 0) throw new Error("nobody was sent to the candidate");
    };
  },
  async telemetry(which) {
    const { LatencySketch } = await load(which, "core/window/sketch.js");
    const sketch = new LatencySketch();
    return () => {
      for (let i = 0; i < 5_000_000; i++) sketch.record(latencies[i & 4_095]);
      sketch.drain();
    };
  },
  async "judge-trace"(which) {
    const { LineReader } = await load(which, "cli/judge/line-reader.js");
    const { EventJudge } = await load(which, "core/trace/event-judge.js");
    const { ArmNames } = await load(which, "core/trace/arm-names.js");
    const { rulesOfPreset } = await load(which, "cli/judge/rules.js");
    const rules = { ...rulesOfPreset("default"), holdMs: 0, splitBp: 1_000, probes: null, isTraceOnly: true };
    const bytes = Buffer.from(
      [...eventBlocks({ seed: 7, perSecond: 1_000, events: 300_000, startMs: START_MS })].join(""),
    );
    return () => {
      const judge = new EventJudge(rules, new ArmNames());
      const reader = new LineReader(judge);
      for (let at = 0; at < bytes.length; at += 262_144) reader.push(bytes.subarray(at, at + 262_144));
      reader.end();
      if (judge.finish().kind !== "pass") throw new Error("a healthy trace did not pass");
    };
  },
  /** What the controller does with each window of a quarter of a second: fold it, look for harm, write verdicts. */
  async judge(which) {
    const { foldEvidence, isHarmProven, judgeTraffic, startEvidence } = await loadEngine(which);
    const gates = await sharedGates(which);
    const blocks = await windowBlocks();
    return () => {
      let evidence = startEvidence(gates);
      let verdicts = [];
      for (const [index, block] of blocks.entries()) {
        evidence = foldEvidence(evidence, block, gates);
        const stage = { kind: "traffic", candidateBp: 1_000, heldMs: (index + 1) * 250, holdMs: 900_000 };
        if (isHarmProven(evidence, stage, gates)) throw new Error("healthy windows were harm");
        verdicts = judgeTraffic(evidence, stage, gates);
      }
      if (!verdicts.some(({ kind }) => kind === "pass")) throw new Error("no gate passed");
    };
  },
};

/** The gates of a plan were moved from one folder to another. */
function loadEngine(which) {
  const path = existsSync(new URL("core/judge/engine.js", dists[which]))
    ? "core/judge/engine.js"
    : "core/gate/gate-set.js";
  return load(which, path);
}

/** The gates of the default policy, as each checkout's own preset sets them, that both have. */
async function sharedGates(which) {
  const of = async (one) => (await load(one, "cli/judge/rules.js")).rulesOfPreset("default").gates;
  const [own, other] = [await of(which), await of(which === "old" ? "new" : "old")];
  return own.filter(({ gate }) => other.some((setting) => setting.gate === gate));
}

/** Windows of one gateway at 2 000 requests a second as blocks; which units failed is left out, as it was not sent. */
async function windowBlocks() {
  const { bytes } = await windowLines((path) => load("new", path), {
    seed: 7,
    perSecond: 2_000,
    windowMs: 250,
    windows: 4_000,
  });
  return bytes
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => {
      const { candidateBp, arms, startMs, endMs, gatewayId } = JSON.parse(line);
      return { candidateBp, arms, endMs, spanMs: endMs - startMs, source: gatewayId };
    });
}

const named = Object.keys(MEASURES).filter((name) => process.argv.includes(name));
const goals = [];
for (const name of named.length === 0 ? Object.keys(MEASURES) : named) {
  const runs = { old: await MEASURES[name]("old"), new: await MEASURES[name]("new") };
  const ratios = [];
  const times = { old: [], new: [] };
  for (let round = -2; round < rounds; round++) {
    const pair = {};
    for (const which of round % 2 === 0 ? ["old", "new"] : ["new", "old"]) pair[which] = cpuMs(runs[which]);
    if (round < 0) continue; // The first rounds warm up.
    ratios.push(pair.new / pair.old);
    for (const which of ["old", "new"]) times[which].push(pair[which]);
  }
  const ratio = median(ratios);
  const spread = `[${Math.min(...ratios).toFixed(2)}..${Math.max(...ratios).toFixed(2)}]`;
  // What others on the machine do only adds: the fifth of the rounds that were disturbed least.
  const [before, now] = ["old", "new"].map((which) => {
    const sorted = times[which].toSorted((a, b) => a - b);
    return median(sorted.slice(0, Math.ceil(sorted.length / 5)));
  });
  const calm = `calmest fifth ${(now / before).toFixed(3)}`;
  const found = `${ratio.toFixed(3)} ${spread}, ${median(times.old).toFixed(0)} then ${median(times.new).toFixed(0)} ms, ${calm}`;
  goals.push({ goal: `${name}: CPU new/old <= ${RATIO_MAX}`, found, met: ratio <= RATIO_MAX });
}
settle(goals);

/** Processor time: others may want the core too. */
function cpuMs(run) {
  const began = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}
