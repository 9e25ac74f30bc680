import type { ByArm, ServingArm } from "../arm.ts";
import { ArmSlot } from "../window/recorder.ts";
import type { ArmWindow, Counter, GaugeSum } from "../window/window.ts";
import type { EventReader } from "./event-reader.ts";
import { NOTHING_TOLD } from "./answer-reader.ts";
import { ArmIdentity } from "./identity.ts";

/** What one arm answered in one second. Used again and again: draining it empties it. */
class ArmSecond {
  readonly #slot = new ArmSlot();
  #lookups = -1;
  #hits = 0;
  #collisions = -1;
  #toolLoops = -1;
  #queueAgeMs = 0;
  #queueReadings = 0;
  #identity = new ArmIdentity();

  /** A bucket of the trace holds many users, so the cap on what one busy user may prove cannot be kept: all counts. */
  count(event: EventReader): void {
    if (event.traffic === "probe") {
      this.#slot.countProbe();
      return;
    }
    this.#identity.note(event);
    this.#slot.countUser(event.traffic === "cold", event.latencyMs, event.errorClass, true);
    if (event.told !== NOTHING_TOLD) this.#slot.tell(event.told);
    if (event.cacheHit !== null) {
      this.#lookups = Math.max(0, this.#lookups) + 1;
      if (event.cacheHit) this.#hits++;
    }
    if (event.isCollision !== null) this.#collisions = Math.max(0, this.#collisions) + (event.isCollision ? 1 : 0);
    if (event.queueAgeMs !== null) {
      this.#queueAgeMs += event.queueAgeMs;
      this.#queueReadings++;
    }
  }

  countNewUnit(): void {
    this.#slot.countNewUnit();
  }

  countToolCall(isLoop: boolean): void {
    this.#toolLoops = Math.max(0, this.#toolLoops) + (isLoop ? 1 : 0);
  }

  takeIdentity(): ArmIdentity {
    const identity = this.#identity;
    this.#identity = new ArmIdentity();
    return identity;
  }

  drain(): ArmWindow {
    const counters: Partial<Record<Counter, number>> = {};
    if (this.#lookups >= 0) {
      counters.cacheLookups = this.#lookups;
      counters.cacheHits = this.#hits;
    }
    if (this.#collisions >= 0) counters.cacheCollisions = this.#collisions;
    if (this.#toolLoops >= 0) counters.toolLoops = this.#toolLoops;
    const queueAge: GaugeSum = { sum: this.#queueAgeMs, readings: this.#queueReadings };
    const window = this.#slot.drain();
    const gauges = { ...window.gauges, ...(this.#queueReadings === 0 ? {} : { queueAgeP95Ms: queueAge }) };
    this.#lookups = this.#collisions = this.#toolLoops = -1;
    this.#hits = this.#queueAgeMs = this.#queueReadings = 0;
    return { ...window, counters, gauges };
  }
}

/** Both arms in one second. */
export class Second {
  isUsed = false;
  readonly #arms: ByArm<ArmSecond> = { stable: new ArmSecond(), candidate: new ArmSecond() };

  armOf(arm: ServingArm): ArmSecond {
    this.isUsed = true;
    return this.#arms[arm];
  }

  /** What was counted and what the arms said they are; afterwards the second is empty. */
  drain(): { readonly arms: ByArm<ArmWindow>; readonly identities: ByArm<ArmIdentity> } {
    this.isUsed = false;
    const { stable, candidate } = this.#arms;
    return {
      identities: { stable: stable.takeIdentity(), candidate: candidate.takeIdentity() },
      arms: { stable: stable.drain(), candidate: candidate.drain() },
    };
  }
}
