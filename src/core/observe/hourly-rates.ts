import { learnFrom } from "../judge/engine.ts";
import type { RolloutPlan } from "../stage/plan.ts";
import { type HourCount, HOURS_OF_HISTORY, peakRate } from "../stage/peak-rate.ts";
import type { TelemetryWindow } from "../window/window.ts";

/** Requests a service answered in one hour since 1970. */
export interface ServiceHour extends HourCount {
  readonly service: string;
}

const HOUR_MS = 3_600_000;

/** Requests of each service by the hour, for a week: what a peak hour is, is read from them. */
export class HourlyRates {
  readonly #counts = new Map<string, Map<number, number>>();
  readonly #cursors = new Map<string, number>();
  /** Hours that grew since they were last stored. */
  readonly #changed = new Map<string, ServiceHour>();

  constructor(stored: readonly ServiceHour[] = []) {
    for (const { service, hour, requests } of stored) this.#hoursOf(service).set(hour, requests);
  }

  /** Counts windows of gateways; one that was sent again is counted once. */
  learn(service: string, windows: readonly TelemetryWindow[]): void {
    const hours = this.#hoursOf(service);
    for (const { gatewayId, seq, endMs, arms } of windows) {
      if (seq <= (this.#cursors.get(gatewayId) ?? -1)) continue;
      this.#cursors.set(gatewayId, seq);
      const hour = Math.floor(endMs / HOUR_MS);
      const isNew = !hours.has(hour);
      const requests = (hours.get(hour) ?? 0) + arms.stable.requestsAll + arms.candidate.requestsAll;
      hours.set(hour, requests);
      this.#changed.set(`${service}/${hour}`, { service, hour, requests });
      if (!isNew) continue;
      for (const old of hours.keys()) if (old < hour - HOURS_OF_HISTORY) hours.delete(old);
    }
  }

  /** What has to be stored; forgotten here once taken. */
  takeChanged(): readonly ServiceHour[] {
    const changed = [...this.#changed.values()];
    this.#changed.clear();
    return changed;
  }

  /**
   * The plan with the learnt peak in every gate that waits for one and was not told; unchanged before a week is known.
   * The plan is stored with it, so a report says which peak was waited for.
   */
  withPeak(plan: RolloutPlan, nowMs: number): RolloutPlan {
    const counts = [...this.#hoursOf(plan.service)].map(([hour, requests]): HourCount => ({ hour, requests }));
    const requestsPerSecond = peakRate(counts, Math.floor(nowMs / HOUR_MS));
    if (requestsPerSecond === null) return plan;
    return { ...plan, gates: learnFrom(plan.gates, { peakRequestsPerSecond: requestsPerSecond }) };
  }

  #hoursOf(service: string): Map<number, number> {
    const hours = this.#counts.get(service) ?? new Map<number, number>();
    this.#counts.set(service, hours);
    return hours;
  }
}
