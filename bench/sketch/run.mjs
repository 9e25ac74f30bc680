// The telemetry record path and the latency sketch: speed, size, error and merges, beside Datadog's DDSketch.
//   npm --prefix bench/sketch ci && npm run build && node bench/sketch/run.mjs [rounds]
import datadog from "@datadog/sketches-js";
import { measure } from "mitata";
import { xxHash32 } from "../../dist/core/assign/xxhash32.js";
import { decodeBins, encodeBins } from "../../dist/core/window/bin-codec.js";
import { createRecorder } from "../../dist/core/window/recorder.js";
import { LatencySketch, mergeBins, quantileOf } from "../../dist/core/window/sketch.js";
import { interleave, pinToOneCore, printRows, settle } from "../measure.mjs";

pinToOneCore();
const ROUNDS = Number(process.argv[2] ?? 5);
const SAMPLES = 1_000_000;
const SHARDS = 64;
const { DDSketch } = datadog;

/** Seeded normal deviates, so that every run sees the same latencies. */
let state = 88_172_645;
function uniform() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return ((state >>> 0) + 1) / (2 ** 32 + 1);
}
const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
const shapes = {
  lognormal: Float64Array.from({ length: SAMPLES }, () => Math.exp(Math.log(400) + 0.8 * normal())),
  bimodal: Float64Array.from({ length: SAMPLES }, (_, i) =>
    i % 100 < 93 ? Math.exp(Math.log(120) + 0.35 * normal()) : Math.exp(Math.log(2_500) + 0.3 * normal()),
  ),
};

function binsOf(values) {
  const sketch = new LatencySketch();
  for (let i = 0; i < values.length; i++) sketch.record(values[i]);
  return sketch.drain();
}
function ddsketchOf(values) {
  const sketch = new DDSketch({ relativeAccuracy: 0.01 });
  for (let i = 0; i < values.length; i++) sketch.accept(values[i]);
  return sketch;
}

// Accuracy and size first: a fast sketch that is wrong is worth nothing.
let worstError = 0;
let mostBytes = 0;
for (const [shape, values] of Object.entries(shapes)) {
  const sorted = values.slice().sort();
  const merged = Array.from({ length: SHARDS }, (_, shard) =>
    binsOf(values.filter((_v, i) => i % SHARDS === shard)),
  ).reduce(mergeBins, []);
  const peer = ddsketchOf(values);
  mostBytes = Math.max(mostBytes, encodeBins(merged).length);
  const errors = [0.5, 0.95, 0.99].map((p) => {
    const exact = sorted[Math.ceil(p * SAMPLES) - 1];
    const ours = quantileOf(merged, p) / exact - 1;
    worstError = Math.max(worstError, Math.abs(ours));
    return `p${p * 100} ${(100 * ours).toFixed(2)} % (DDSketch ${(100 * (peer.getValueAtQuantile(p) / exact - 1)).toFixed(2)} %)`;
  });
  console.log(`${shape}: ${encodeBins(merged).length} bytes (DDSketch ${peer.toProto().length}); ${errors.join(", ")}`);
}

const target = (name) => ({ releaseId: `r-${name}`, endpoints: ["http://127.0.0.1:4001"], cachePrefix: `${name}:` });
const recorder = createRecorder({
  gatewayId: "bench",
  startMs: 1_800_000_000_000,
  document: {
    version: 1,
    service: "support-rag",
    epoch: 1,
    seq: 0,
    rolloutId: null,
    candidateBp: 1_000,
    allow: [],
    closed: [],
    arms: { stable: target("a1"), candidate: target("b2") },
    sticky: { hash: "v1", seed: 7, ttlMs: 0 },
    identity: { trustedHeaders: [], stickyBy: [] },
    drainMs: 0,
    issuedAt: 0,
  },
});
const slots = [recorder.placeOf("stable"), recorder.placeOf("candidate")];
const hashes = Float64Array.from({ length: 65_536 }, (_, i) => xxHash32(`user-${i}`, 7));
const values = shapes.lognormal;
let at = 0;
let nowMs = 1_800_000_000_000;
/** 65 536 units with 15 requests a minute: all of them evidence, so that no record takes the short way of the cap. */
function recordOne() {
  at = (at + 1) & 0xffff;
  if ((at & 15) === 0) nowMs++;
  recorder.record(slots[at & 1], hashes[at], "warm", values[at], null, nowMs);
}
/** The same with a failure in every 64th request. */
function recordMixed() {
  at = (at + 1) & 0xffff;
  if ((at & 15) === 0) nowMs++;
  recorder.record(slots[at & 1], hashes[at], "warm", values[at], (at & 63) === 7 ? "headers|5xx|503" : null, nowMs);
}

const RECORD = "record(): slot resolved, unit cap, classes, sketch";
const MERGE = "merge 64 windows' sketches into one (a sketch each)";
const sketch = new LatencySketch();
const ddsketch = new DDSketch({ relativeAccuracy: 0.01 });
const shards = Array.from({ length: SHARDS }, (_, shard) =>
  shapes.bimodal.subarray(shard * 15_625, (shard + 1) * 15_625),
);
const binShards = shards.map(binsOf);
const ddShards = shards.map(ddsketchOf);
const window = binsOf(values.subarray(0, 100_000));
const windowBytes = encodeBins(window);

const results = await interleave(
  measure,
  [
    { name: RECORD, run: recordOne },
    { name: "  the same, 1.6 % failures", run: recordMixed },
    { name: "LatencySketch.record()", run: () => sketch.record(values[(at = (at + 1) & 0xffff)]) },
    {
      name: "@datadog/sketches-js DDSketch.accept(), 1 %",
      run: () => ddsketch.accept(values[(at = (at + 1) & 0xffff)]),
    },
    {
      name: MERGE,
      perCall: SHARDS,
      run: () => {
        const whole = new LatencySketch();
        for (const bins of binShards) whole.add(bins);
        return whole.drain();
      },
    },
    { name: "  the same with mergeBins()", perCall: SHARDS, run: () => binShards.reduce(mergeBins, []) },
    {
      name: "@datadog/sketches-js merge 64 (a sketch each)",
      perCall: SHARDS,
      run: () => {
        const whole = new DDSketch({ relativeAccuracy: 0.01 });
        for (const shard of ddShards) whole.merge(shard);
        return whole;
      },
    },
    { name: "encodeBins() of 100 000 latencies", run: () => encodeBins(window) },
    { name: "decodeBins() of the same", run: () => decodeBins(windowBytes) },
  ],
  ROUNDS,
  300,
);
printRows(results);
const counted = recorder.cut(nowMs).arms.stable;
if (counted.requests < 0.95 * counted.requestsAll) {
  console.error(
    `only ${counted.requests} of ${counted.requestsAll} requests were evidence; the record row timed the cap`,
  );
  process.exit(1);
}
const perSecond = 1e9 / results.get(MERGE).ns;
const recordNs = results.get(RECORD).ns;
settle([
  { goal: "record at most 40 ns", found: `${recordNs.toFixed(1)} ns`, met: recordNs <= 40 },
  { goal: "at least 150 000 merges/s", found: `${Math.round(perSecond)}/s`, met: perSecond >= 150_000 },
  {
    goal: "p50, p95, p99 within 0.8 %, merged from 64",
    found: `${(100 * worstError).toFixed(2)} %`,
    met: worstError <= 0.008,
  },
  { goal: "at most 1700 bytes", found: `${mostBytes}`, met: mostBytes <= 1_700 },
]);
