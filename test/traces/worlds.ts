import { isTrafficGate } from "../../src/core/judge/gates.ts";
import type { GateSetting } from "../../src/core/judge/setting.ts";
import type { ProbeReport } from "../../src/core/measure/report.ts";
import { type ArmModel, steadyArm, type World } from "../../src/core/rehearsal/world.ts";
import type { Command } from "../../src/core/rollout/event.ts";
import type { RolloutPlan } from "../../src/core/stage/plan.ts";
import { aGate, aPlan, aPreset, gatesOf, probes, traffic, watch } from "../builders.ts";
import { aProbeReport } from "../probe-report.ts";

/** A plan and everything that happens to it, second by second: what all users of the wheel are fed with. */
export interface RecordedWorld {
  readonly name: string;
  readonly plan: RolloutPlan;
  readonly seconds: number;
  /** Both arms' laws when the candidate has this share. */
  law(candidateBp: number): World;
  /** A second gateway serves half of the traffic, and its windows come this many seconds late. */
  readonly lateByS?: number;
  readonly commands?: Readonly<Record<number, Command>>;
  /** What the candidate's health endpoint says from this second on. */
  readonly metricFromS?: { readonly atS: number; readonly METRIC: string };
  readonly probe?: (tier: "smoke" | "full") => ProbeReport;
  /** The value a metric from outside reads in a second; absent without metrics. */
  readonly reading?: (query: string, atS: number) => number;
}

const LATENCY = { medianMs: 60, sigma: 0.4 };
const healthy = steadyArm({ "headers|5xx|503": 0.002 }, LATENCY);
const failing = steadyArm({ "headers|5xx|503": 0.3 }, LATENCY);
const slow = steadyArm({ "headers|5xx|503": 0.002 }, { ...LATENCY, medianMs: 110 });
const law = (candidate: ArmModel, requestsPerSecond = 200): World => ({
  requestsPerSecond,
  arms: { stable: healthy, candidate },
});

const GATES: readonly GateSetting[] = [
  aGate("parity"),
  ...gatesOf(aPreset("demo")).filter(({ gate }) => isTrafficGate(gate)),
];
const LADDER = [traffic(10, 4_000, 30_000), traffic(50, 4_000, 30_000), watch(3_000)];
const LONG = [
  traffic(5, 3_000, 30_000),
  traffic(10, 3_000, 30_000),
  traffic(25, 3_000, 30_000),
  traffic(50, 3_000, 30_000),
  watch(2_000),
];
const plan = (over: Partial<RolloutPlan> = {}): RolloutPlan => aPlan({ stages: LADDER, gates: GATES, ...over });
/** Small margins hold a stage for long; these let a short ladder be climbed by real proofs. */
const WIDE: readonly GateSetting[] = [
  aGate("parity"),
  aGate("error-rate", {
    alpha: 0.001,
    beta: 0.05,
    margin: { under10: 0.1, under50: 0.1, from50: 0.1 },
    minSamples: 50,
  }),
];
const METRIC = {
  name: "queue-age",
  source: "prometheus",
  url: "http://127.0.0.1:9090",
  candidate: "candidate",
  stable: "stable",
  timestamp: null,
  tokenFile: null,
  everyMs: 1_000,
  maxAgeMs: 10_000,
} as const;
const METRIC_GATE = aGate("metric[queue-age]", {
  metric: METRIC.name,
  comparison: "ratio",
  better: "lower",
  promote: 1.2,
  stop: 2,
  failures: 3,
  passes: 3,
});
const COVERAGE = gatesOf(aPreset("demo")).filter(({ gate }) => gate === "coverage");

/** Fails at and above a share, and only there. */
const failsFrom = (percent: number) => (candidateBp: number) => law(candidateBp >= percent * 100 ? failing : healthy);

export const WORLDS: readonly RecordedWorld[] = [
  { name: "healthy", plan: plan(), seconds: 60, law: () => law(healthy) },
  { name: "errors", plan: plan(), seconds: 30, law: () => law(failing) },
  { name: "slow", plan: plan(), seconds: 40, law: () => law(slow) },
  { name: "silent", plan: plan(), seconds: 45, law: () => law(healthy, 1e-9) },
  { name: "errors-late-windows", plan: plan(), seconds: 30, law: failsFrom(50), lateByS: 2 },
  {
    name: "healthy-late-windows",
    plan: plan({ gates: WIDE }),
    seconds: 40,
    law: () => law(healthy),
    lateByS: 2,
  },
  {
    name: "fails-at-50-goes-back-to-25",
    plan: plan({ stages: LONG, gates: WIDE, onFail: { to: "previous-stage" } }),
    seconds: 60,
    law: failsFrom(50),
  },
  {
    name: "fails-at-50-goes-back-late-windows",
    plan: plan({ stages: LONG, gates: WIDE, onFail: { to: "previous-stage" } }),
    seconds: 60,
    law: failsFrom(50),
    lateByS: 1,
  },
  {
    name: "aborted-after-a-retreat",
    plan: plan({ stages: LONG, gates: WIDE, onFail: { to: "previous-stage" } }),
    seconds: 40,
    law: failsFrom(25),
    commands: { 14: "abort" },
  },
  {
    name: "paused-and-resumed",
    plan: plan({ gates: WIDE }),
    seconds: 40,
    law: () => law(healthy),
    commands: { 3: "pause", 9: "resume" },
  },
  {
    name: "probes-pass",
    plan: plan({ stages: [probes("smoke"), ...LADDER], gates: [...WIDE, ...COVERAGE] }),
    seconds: 40,
    law: () => law(healthy),
    probe: () =>
      aProbeReport({
        candidate: { coverage: 0.95, coverageCi: [0.9, 1] },
        paired: { coverage: { estimate: 0.1, ci: [0, 0.2] } },
      }),
  },
  {
    name: "probes-fail",
    plan: plan({ stages: [traffic(10, 3_000), probes("full"), watch(2_000)], gates: [...WIDE, ...COVERAGE] }),
    seconds: 40,
    law: () => law(healthy),
    probe: () => aProbeReport({ candidate: { coverage: 0.3, coverageCi: [0.2, 0.4] } }),
  },
  {
    name: "metric-passes",
    plan: plan({ gates: [aGate("parity"), METRIC_GATE], metrics: [METRIC] }),
    seconds: 40,
    law: () => law(healthy),
    reading: () => 10,
  },
  {
    name: "metric-fails",
    plan: plan({ gates: [aGate("parity"), METRIC_GATE], metrics: [METRIC] }),
    seconds: 40,
    law: () => law(healthy),
    reading: (query, atS) => (query === "stable" || atS < 6 ? 10 : 30),
  },
  {
    name: "identity-differs-at-second-7",
    plan: plan({ gates: WIDE }),
    seconds: 40,
    law: () => law(healthy),
    metricFromS: { atS: 7, METRIC: "l2" },
  },
];
