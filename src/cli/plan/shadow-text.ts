import { forecastShadow } from "../../core/forecast/shadow.ts";
import type { RolloutPlan } from "../../core/stage/plan.ts";
import { formatDurationMs } from "../../spec/duration.ts";
import type { PlanOptions } from "./plan-options.ts";

/** What is copied, what the copies can show before the first user, and what they cannot. */
export function describeShadow(plan: RolloutPlan, options: Pick<PlanOptions, "rps" | "errorRate">): readonly string[] {
  const { shadow } = plan;
  const forecast = forecastShadow(plan, { requestsPerSecond: options.rps, failureRate: options.errorRate });
  if (shadow === undefined || forecast === null) return [];
  const { shareBp, methods, paths, headers, effects, perSecond, inFlight } = shadow;
  const where = paths.length === 0 ? "every path" : paths.join(", ");
  const kept = headers.length === 0 ? "no cookie, credential or user" : `no more of a user than ${headers.join(", ")}`;
  const { pairs, seconds, margin } = forecast;
  const proof =
    pairs === null || seconds === null
      ? "at this error rate no number of pairs would do"
      : `about ${pairs} pairs, ${formatDurationMs(Math.ceil(seconds / 60) * 60_000)} when all traffic may be copied`;
  return [
    `  shadow   ${shareBp / 100} % of ${methods.join(", ")} on ${where}, at most ${perSecond}/s and ${inFlight} at a time; copies carry ${kept}`,
    `           excludes +${margin * 100} points of failures of the same requests: ${proof}`,
    `           ${effects === "deny" ? "the fence refuses effects of a copy; what a service does without the fence, nobody stops" : "effects: allow, so copies act: the candidate needs stores of its own"}`,
    "           not known from copies: whether answers are right (probes), load of all users, whole dialogs, writes, and whatever needs what a copy leaves out",
  ];
}
