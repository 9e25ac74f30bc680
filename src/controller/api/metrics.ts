import { SERVING_ARMS } from "../../core/arm.ts";
import type { Controller } from "../controller.ts";

const HELP = {
  sluice_rollout_phase: "gauge, 1 for the phase a rollout is in",
  sluice_candidate_share_bp: "gauge, share ordered for the candidate in basis points",
  sluice_requests_total: "counter, user requests by arm",
  sluice_failures_total: "counter, failed user requests by arm",
  sluice_gateway_failures_total: "counter, answers the gateways made themselves",
  sluice_lost_windows_total: "counter, telemetry windows that never came",
} as const;

const escape = (value: string) => value.replace(/[\\"\n]/g, (letter) => (letter === "\n" ? "\\n" : `\\${letter}`));

/** Counts of every rollout in the Prometheus text format; labels are rollout, service, arm and phase only. */
export function metricsText(controller: Controller): string {
  const rows = new Map<string, string[]>(Object.keys(HELP).map((name) => [name, []]));
  const add = (name: keyof typeof HELP, labels: Record<string, string>, value: number) => {
    const list = Object.entries(labels).map(([key, label]) => `${key}="${escape(label)}"`);
    rows.get(name)?.push(`${name}{${list.join(",")}} ${value}`);
  };
  for (const { rollout, observations } of controller.rollouts()) {
    const { rolloutId, service } = rollout.plan;
    const labels = { rollout: rolloutId, service };
    add("sluice_rollout_phase", { ...labels, phase: rollout.phase }, 1);
    add("sluice_candidate_share_bp", labels, rollout.candidateBp);
    for (const arm of SERVING_ARMS) {
      add("sluice_requests_total", { ...labels, arm }, observations.totals.requests[arm]);
      add("sluice_failures_total", { ...labels, arm }, observations.totals.failures[arm]);
    }
    add("sluice_gateway_failures_total", labels, observations.totals.gatewayFailures);
    add("sluice_lost_windows_total", labels, observations.totals.lostWindows);
  }
  const blocks = Object.entries(HELP).map(([name, help]) => {
    const [type = "gauge"] = help.split(",");
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...(rows.get(name) ?? [])].join("\n");
  });
  return `${blocks.join("\n")}\n`;
}
