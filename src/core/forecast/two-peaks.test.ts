import { describe, expect, it } from "vitest";
import { aBlock, aPlan, aPreset, gatesOf, traffic } from "../../../test/builders.ts";
import { foldEvidence, judgeTraffic, startEvidence } from "../judge/engine.ts";
import type { LatencyShape } from "../stats/latency-shape.ts";
import { randomStream } from "../stats/random.ts";
import type { TrafficStage } from "../stage/plan.ts";
import { bp } from "../unit.ts";
import { binOf } from "../window/sketch.ts";
import { forecastStage } from "./stage.ts";

const PERCENT = 25;
const LIKELY = { requestsPerSecond: 100, failureRate: 0.005, latencySigma: 0.5 };
/** Few answers are worked out, so that the p95 lies at the beginning of their peak, where hardly any are. */
const CACHED: LatencyShape = [
  { share: 0.945, medianMs: 40, logDeviation: 0.4 },
  { share: 0.055, medianMs: 2_000, logDeviation: 0.3 },
];
const COMPARED = ["error-rate", "p95-warm"];
const settings = gatesOf(aPreset("default")).filter(({ gate }) => COMPARED.includes(gate));

/** Gates by the seconds their proof is expected to take, the slowest last. */
function expected(latencyPeaks?: LatencyShape) {
  const stage = traffic(PERCENT, 900_000, 28_800_000) as TrafficStage;
  const forecasts = forecastStage(aPlan({ gates: settings }), stage, { ...LIKELY, latencyPeaks });
  return forecasts.map(({ gate, expectedS }) => [gate, expectedS ?? Number.NaN] as const).sort(([, a], [, b]) => a - b);
}

/** Second at which each gate passes on healthy traffic whose latencies are drawn from two peaks. */
function proven(seed: number): Readonly<Record<string, number>> {
  const random = randomStream(seed);
  const latency = () => {
    const [first, second] = CACHED;
    const peak = random() < (first?.share ?? 0) ? first : second;
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return (peak?.medianMs ?? 0) * Math.exp((peak?.logDeviation ?? 0) * normal);
  };
  const arm = (requests: number) => {
    const bins = new Map<number, number>();
    let failures = 0;
    for (let request = 0; request < requests; request++) {
      const bin = binOf(latency());
      if (random() < LIKELY.failureRate) failures++;
      else bins.set(bin, (bins.get(bin) ?? 0) + 1);
    }
    return { requests, failures, warm: [...bins].sort(([a], [b]) => a - b).flat() };
  };
  const passed: Record<string, number> = {};
  let evidence = startEvidence(settings);
  for (let second = 1; second < 3_000 && Object.keys(passed).length < COMPARED.length; second++) {
    evidence = foldEvidence(evidence, aBlock(PERCENT, arm(75), arm(25), second), settings);
    const stage = { kind: "traffic", candidateBp: bp(PERCENT * 100), heldMs: second * 1_000, holdMs: 0 } as const;
    for (const { gate, kind } of judgeTraffic(evidence, stage, settings)) if (kind === "pass") passed[gate] ??= second;
  }
  return passed;
}

describe("the forecast of a latency with two peaks", () => {
  it("names the gate that real gates wait for longest; taken for one peak, it names another", () => {
    expect(expected().at(-1)?.[0]).toBe("error-rate");
    const [slowest, seconds] = expected(CACHED).at(-1) ?? ["", 0];
    expect(slowest).toBe("p95-warm");
    const runs = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(proven);
    const median = (gate: string) => runs.map((run) => run[gate] ?? Number.NaN).sort((x, y) => x - y)[4] ?? Number.NaN;
    expect(median(slowest)).toBeGreaterThan(2 * median("error-rate"));
    expect(seconds / median(slowest)).toBeGreaterThan(0.5);
    expect(seconds / median(slowest)).toBeLessThan(2);
  });
});
