import type { RolloutPlan } from "../stage/plan.ts";
import type { GateSetting } from "../gate/gate.ts";
import type { MetricOptions, PeakHourOptions, QueueAgeSlopeOptions } from "../gate/options.ts";
import { gateBaseName, isTrafficGate } from "../gate/order.ts";
import type { Needs } from "./needs.ts";

/** Gates that wait for time, readings or reports rather than for a number of requests. Null for gates that read none. */
export function forecastWaiting(setting: GateSetting, plan: RolloutPlan): Needs | null {
  const { gate, options } = setting;
  if (!isTrafficGate(gate)) return null;
  switch (gateBaseName(gate)) {
    case "peak-hour": {
      const { requestsPerSecond, lengthMs } = options as unknown as PeakHourOptions;
      const detectable = `waits for ${lengthMs / 60_000} minutes of peak traffic`;
      if (requestsPerSecond !== null) return { needsSamples: 0, leastS: lengthMs / 1_000, detectable };
      const fix = "requestsPerSecond of the gate peak-hour, or a controller that has seen the service for 7 days";
      return { needsSamples: null, detectable, fix };
    }
    case "queue-age-slope": {
      const { windowMs, windows } = options as unknown as QueueAgeSlopeOptions;
      const detectable = `${windows} windows of ${windowMs / 1_000} s in a row that rise`;
      return { needsSamples: 0, leastS: windowMs / 1_000, detectable };
    }
    case "metric": {
      const { metric, passes, failures } = options as unknown as MetricOptions;
      const everyMs = plan.metrics.find(({ name }) => name === metric)?.everyMs ?? 0;
      const detectable = `${failures} readings in a row beyond the limit`;
      return { needsSamples: 0, leastS: (passes * everyMs) / 1_000, detectable };
    }
    case "custom":
      return { needsSamples: Number(options["minSamples"]), detectable: "what its rules say" };
    case "five-xx-burst":
      return { needsSamples: 1, detectable: `a burst longer than ${Number(options["longestMs"]) / 1_000} s` };
    case "sample-ratio":
      return { needsSamples: 1, detectable: "a split that the ordered shares do not explain" };
    default:
      return { needsSamples: 1, detectable: `the first one beyond ${String(options["max"])}` };
  }
}
