import { SERVING_ARMS, type ServingArm } from "../../core/arm.ts";
import { quantileOf, type SparseBins } from "../../core/window/sketch.ts";
import type { Counter, GaugeSum } from "../../core/window/window.ts";
import type { StoredRollout } from "../../ports/controller-store.ts";
import type { Controller } from "../controller.ts";
import type { ArmPanel } from "../panels.ts";

const HELP = {
  sluice_rollout_phase: "gauge, 1 for the phase a rollout is in",
  sluice_candidate_share_bp: "gauge, share ordered for the candidate in basis points",
  sluice_requests_total: "counter, user requests by arm",
  sluice_failures_total: "counter, failed user requests by arm",
  sluice_five_xx_total: "counter, user requests answered with 5xx by arm",
  sluice_cold_starts_total: "counter, answers of cold instances by arm",
  sluice_latency_ms: "gauge, total latency of the last one to two minutes, warm and cold apart",
  sluice_stage_latency_ms: "gauge, what retrieving, reranking and reasoning took in the last one to two minutes",
  sluice_queue_age_ms: "gauge, age of what waited in the queue in the last one to two minutes",
  sluice_queue_backlog: "gauge, mean length of the queue in the last one to two minutes",
  sluice_instance_concurrency: "gauge, mean requests an instance had in the last one to two minutes",
  sluice_effects_total: "counter, side effects applied",
  sluice_repeat_deliveries_total: "counter, deliveries after the first of their key",
  sluice_dedupe_hits_total: "counter, repeated deliveries that were suppressed",
  sluice_duplicate_effects_total: "counter, effects applied a second time",
  sluice_lost_writes_total: "counter, accepted writes that were not applied",
  sluice_retries_total: "counter, further tries of deliveries and of requests",
  sluice_cache_lookups_total: "counter, lookups in the arm's cache namespace",
  sluice_cache_hits_total: "counter, lookups that hit",
  sluice_cache_collisions_total: "counter, reads of an entry that the other arm wrote",
  sluice_sticky_violations_total: "counter, users moved although no share moved them",
  sluice_tool_loops_total: "counter, traces with a tool loop",
  sluice_gateway_failures_total: "counter, answers the gateways made themselves",
  sluice_lost_windows_total: "counter, telemetry windows that never came",
} as const;
type Metric = keyof typeof HELP;

/** Counters that services and data planes tell; one that nobody watches is absent, which is no zero. */
const TOLD: readonly (readonly [Metric, Counter])[] = [
  ["sluice_effects_total", "effects"],
  ["sluice_repeat_deliveries_total", "repeatDeliveries"],
  ["sluice_dedupe_hits_total", "suppressedDeliveries"],
  ["sluice_duplicate_effects_total", "duplicateEffects"],
  ["sluice_lost_writes_total", "lostWrites"],
  ["sluice_retries_total", "retries"],
  ["sluice_cache_lookups_total", "cacheLookups"],
  ["sluice_cache_hits_total", "cacheHits"],
  ["sluice_cache_collisions_total", "cacheCollisions"],
  ["sluice_sticky_violations_total", "stickyViolations"],
  ["sluice_tool_loops_total", "toolLoops"],
];
const STAGES = ["retrieve", "rerank", "reason"] as const;
const QUANTILES = [0.5, 0.75, 0.95, 0.99] as const;

type Labels = Readonly<Record<string, string>>;
type Add = (name: Metric, labels: Labels, value: number) => void;

const escape = (value: string) => value.replace(/[\\"\n]/g, (letter) => (letter === "\n" ? "\\n" : `\\${letter}`));

/**
 * Counts of every rollout in the Prometheus text format. Every row says rollout, service, release_id and revision: of
 * its arm, or of the candidate where a number is of no arm.
 */
export function metricsText(controller: Controller): string {
  const rows = new Map<string, string[]>(Object.keys(HELP).map((name) => [name, []]));
  const add: Add = (name, labels, value) => {
    const list = Object.entries(labels).map(([key, label]) => `${key}="${escape(label)}"`);
    rows.get(name)?.push(`${name}{${list.join(",")}} ${value}`);
  };
  for (const stored of controller.rollouts()) {
    addRollout(add, stored);
    for (const arm of SERVING_ARMS) {
      const panel = controller.panels.of(stored.rollout.plan.rolloutId, arm);
      if (panel !== null) addPanel(add, { ...labelsOf(stored, arm), arm }, panel);
    }
  }
  const blocks = Object.entries(HELP).map(([name, help]) => {
    const [type = "gauge"] = help.split(",");
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...(rows.get(name) ?? [])].join("\n");
  });
  return `${blocks.join("\n")}\n`;
}

function labelsOf({ rollout, observations }: StoredRollout, arm: ServingArm): Labels {
  const { rolloutId, service, arms } = rollout.plan;
  const manifest = observations.pinned?.[arm];
  const revision = manifest?.revision ?? manifest?.BUILD_TS ?? "unknown";
  return { rollout: rolloutId, service, release_id: arms[arm].releaseId, revision };
}

function addRollout(add: Add, stored: StoredRollout): void {
  const { rollout, observations } = stored;
  const { totals } = observations;
  const labels = labelsOf(stored, "candidate");
  add("sluice_rollout_phase", { ...labels, phase: rollout.phase }, 1);
  add("sluice_candidate_share_bp", labels, rollout.candidateBp);
  for (const arm of SERVING_ARMS) {
    const ofArm = { ...labelsOf(stored, arm), arm };
    add("sluice_requests_total", ofArm, totals.requests[arm]);
    add("sluice_failures_total", ofArm, totals.failures[arm]);
    add("sluice_cold_starts_total", ofArm, totals.cold[arm]);
  }
  add("sluice_gateway_failures_total", labels, totals.gatewayFailures);
  add("sluice_lost_windows_total", labels, totals.lostWindows);
}

function addPanel(add: Add, labels: Labels, { counters, fiveXx, lately }: ArmPanel): void {
  add("sluice_five_xx_total", labels, fiveXx);
  for (const [name, counter] of TOLD) {
    const count = counters[counter];
    if (count !== undefined) add(name, labels, count);
  }
  const quantiles = (name: Metric, more: Labels, bins: SparseBins = []) => {
    for (const p of QUANTILES) {
      const ms = quantileOf(bins, p);
      if (ms !== null) add(name, { ...labels, ...more, quantile: String(p) }, ms);
    }
  };
  quantiles("sluice_latency_ms", { temperature: "warm" }, lately.warm);
  quantiles("sluice_latency_ms", { temperature: "cold" }, lately.cold);
  for (const stage of STAGES) quantiles("sluice_stage_latency_ms", { stage }, lately.timings?.[stage]);
  quantiles("sluice_queue_age_ms", {}, lately.timings?.queueAge);
  const level = (name: Metric, gauge: GaugeSum | undefined) => {
    if (gauge !== undefined) add(name, labels, gauge.sum / gauge.readings);
  };
  level("sluice_queue_backlog", lately.gauges.queueBacklog);
  level("sluice_instance_concurrency", lately.gauges.instanceConcurrency);
}
