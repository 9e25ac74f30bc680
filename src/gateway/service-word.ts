import { loopsOf } from "../core/trace/tool-calls.ts";
import type { Recorder } from "../core/window/recorder.ts";
import { readServiceEvent, type ServiceEvent, type Signals, signalsOf } from "../core/window/service-event.ts";
import type { Assignment } from "./exchange-context.ts";

/** The gateway asked a second endpoint. */
export const ONE_RETRY: Signals = { counters: { retries: 1 }, gauges: {}, timings: {} };

/** Reads what a service said of its answer and counts it, for users only. Null when nothing can be read. */
export function hearService(
  recorder: Recorder,
  { plan, place, isProbe }: Assignment,
  text: string,
): ServiceEvent | null {
  const said = readServiceEvent(text);
  if (said !== null && !isProbe) recorder.hear(place, signalsOf(said, plan.isOther, loopsOf(said.tools)));
  return said;
}
