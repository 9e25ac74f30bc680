import type { ByArm } from "../../arm.ts";
import type { ArmWindow, Counter } from "../../window/window.ts";
import { type Advice, defineGate, type Gate, type TrafficPart } from "../definition.ts";
import { number, ON_NO_DATA, type OptionsOf } from "../fields.ts";
import { trafficVerdict } from "../traffic/traffic-verdict.ts";

const OPTIONS = {
  max: number(
    { kind: "number", least: 0, most: 1_000_000, isWhole: true },
    { says: "the events tolerated over the whole rollout", fallback: 0, stricter: "lower" },
  ),
  onNoData: ON_NO_DATA,
};

/** Something that must not happen, counted by the service on the candidate. */
interface EventMeasure<Name extends string> {
  readonly gate: Name;
  readonly condition: string;
  readonly counter: Counter;
  /** As words of a sentence. */
  readonly what: string;
  readonly advice: Advice;
  /** The field of a recorded event that counts it; absent where events say nothing of it. */
  readonly eventField?: string;
}

interface State {
  /** Events by arm; null until a window reported the counter, 0 included. */
  readonly events: ByArm<number | null>;
  readonly requests: ByArm<number>;
}

function added(before: number | null, arm: ArmWindow, counter: Counter): number | null {
  const now = arm.counters[counter];
  return now === undefined ? before : (before ?? 0) + now;
}

function trafficPart(gate: string, counter: Counter, what: string): TrafficPart<OptionsOf<typeof OPTIONS>, State> {
  return {
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

/**
 * A hard rule: no statistics, because one such event is already harm. It stops with the first event beyond `max`; it
 * passes only where the service watches for it, because silence is no data.
 */
export function eventGate<const Name extends string>({
  gate,
  condition,
  counter,
  what,
  advice,
  eventField,
}: EventMeasure<Name>): Gate<Name, typeof OPTIONS> {
  return defineGate({
    name: gate,
    reads: "traffic",
    counts: "events",
    says: `Are there ${what}? One more than \`max\` stops.`,
    unit: "events, a hard rule",
    from: `\`${counter}\``,
    options: OPTIONS,
    conditions: { [condition]: advice },
    needs: ({ max }) => ({ needsSamples: 1, detectable: `the first one beyond ${max}` }),
    traffic: trafficPart(gate, counter, what),
    ...(eventField === undefined ? {} : { eventField }),
  });
}
