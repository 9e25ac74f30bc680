import type { HourlyRates } from "../core/observe/hourly-rates.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventFeed } from "./event-feed.ts";
import type { PlaneDesk } from "./plane-desk.ts";
import { isHarmless, type PlaneHistory } from "./silent-planes.ts";

/** Once a minute: a restart then forgets a minute of a week. */
const STORE_HOURS_MS = 60_000;
const LOOK_MS = 1_000;

interface HousekeepingTools extends PlaneHistory {
  readonly hours: HourlyRates;
  readonly planes: PlaneDesk;
  readonly clock: Clock;
  readonly feed: EventFeed;
  readonly log: (line: string) => void;
  readonly forgetAfterMs: number;
}

/** What a controller does now and then besides its rollouts. */
export class Housekeeping {
  readonly #tools: HousekeepingTools;
  #hoursAtMonoMs = Number.NEGATIVE_INFINITY;
  #lookedAtMonoMs = Number.NEGATIVE_INFINITY;

  constructor(tools: HousekeepingTools) {
    this.#tools = tools;
  }

  /** Does what is due. Rejects when the store cannot be written. */
  async tick(): Promise<void> {
    const nowMs = this.#tools.clock.monoMs();
    if (nowMs - this.#hoursAtMonoMs >= STORE_HOURS_MS) {
      this.#hoursAtMonoMs = nowMs;
      await this.#storeHours();
    }
    if (nowMs - this.#lookedAtMonoMs < LOOK_MS) return;
    this.#lookedAtMonoMs = nowMs;
    await this.#forgetSilent();
  }

  async #storeHours(): Promise<void> {
    const hours = this.#tools.hours.takeChanged();
    if (hours.length > 0) await this.#tools.store.commit({ hours });
  }

  /** Declares data planes gone that were silent for long enough and can do no harm. */
  async #forgetSilent(): Promise<void> {
    const { planes, hub, forgetAfterMs, feed, log, clock } = this.#tools;
    for (const plane of planes.all()) {
      const { gatewayId, gone, service } = plane;
      const silence = gone === null ? hub.silence(gatewayId) : null;
      if (silence === null || silence.silentMs < forgetAfterMs || !(await isHarmless(plane, this.#tools))) continue;
      const said = `not heard of for ${Math.floor(silence.silentMs / 1_000)} s, and it cannot send users to a candidate`;
      if ((await planes.forget(gatewayId, "the controller", said)) === null) continue;
      const text = `gateway ${gatewayId} of ${service} is taken for gone: ${said}`;
      feed.publish(clock.wallMs(), { type: "note", rollout: null, text });
      log(text);
    }
  }
}
