import type { ByArm } from "../arm.ts";
import type { ArmWindow, Counter } from "../window/window.ts";
import type { TrafficGate } from "./gate.ts";
import type { EventLimitOptions, GateName } from "./options.ts";
import { trafficVerdict } from "./traffic-verdict.ts";

/** Something that must not happen, counted by the service on the candidate. */
interface EventMeasure {
  readonly gate: GateName;
  readonly counter: Counter;
  /** As words of a sentence. */
  readonly what: string;
}

/** @source decision-policy.md "Hard rules"; requirements.md RT-8, GQ-29, CA-8, CA-11, TE-16, RB-3, QJ-12 */
export const EVENT_MEASURES: readonly EventMeasure[] = [
  { gate: "duplicate-effect", counter: "duplicateEffects", what: "effects applied twice" },
  { gate: "write-loss", counter: "lostWrites", what: "accepted writes lost" },
  { gate: "sticky-violation", counter: "stickyViolations", what: "requests answered by the wrong arm for their user" },
  { gate: "cache-collision", counter: "cacheCollisions", what: "cache entries shared between the arms" },
  { gate: "tool-loop", counter: "toolLoops", what: "tool loops" },
];

interface State {
  /** Events by arm; null until a window reported the counter, 0 included. */
  readonly events: ByArm<number | null>;
  readonly requests: ByArm<number>;
}

function added(before: number | null, arm: ArmWindow, counter: Counter): number | null {
  const now = arm.counters[counter];
  return now === undefined ? before : (before ?? 0) + now;
}

/**
 * A hard rule: no statistics, because one such event is already harm. It stops with the first event beyond `max`; it
 * passes only where the service watches for it, because silence is no data.
 */
export function eventGate({ gate, counter, what }: EventMeasure): TrafficGate<EventLimitOptions, State> {
  return {
    kind: "traffic",
    name: gate,
    start: () => ({ events: { stable: null, candidate: null }, requests: { stable: 0, candidate: 0 } }),
    fold: ({ events, requests }, { arms: { stable, candidate } }) => ({
      events: {
        stable: added(events.stable, stable, counter),
        candidate: added(events.candidate, candidate, counter),
      },
      requests: {
        stable: requests.stable + stable.requests,
        candidate: requests.candidate + candidate.requests,
      },
    }),
    isHarmProven: ({ events }, { max }) => (events.candidate ?? 0) > max,
    decide({ events, requests }, _stage, { max }) {
      const base = { gate, samples: requests, threshold: max, alpha: null };
      const estimate = events.candidate;
      if (estimate === null) {
        const reason = `nothing on the candidate reports ${what}`;
        return trafficVerdict(base, "no-data", { estimate, reason, needs: `the counter ${counter} in its telemetry` });
      }
      const reason = `${estimate} ${what} on the candidate, ${events.stable ?? "unwatched"} on stable (at most ${max})`;
      return trafficVerdict(base, estimate > max ? "fail" : "pass", { estimate, reason });
    },
  };
}
