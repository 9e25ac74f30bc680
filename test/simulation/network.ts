import type { RandomStream } from "../../src/core/stats/random.ts";
import type { Clock } from "../../src/ports/clock.ts";

/** What is lost, doubled and late while the network is bad; shares of all messages. */
export interface Noise {
  readonly loss: number;
  readonly duplicates: number;
  readonly delayMs: number;
}

/** From a data plane to its controller, and back. */
export type Way = "up" | "down";

const USUAL_MS = 8;

/** Carries messages between the controller and its data planes; each on its own, so they overtake one another. */
export class Network {
  readonly counts = { sent: 0, lost: 0, doubled: 0, late: 0 };
  readonly #clock: Clock;
  readonly #random: RandomStream;
  readonly #noise: Noise;
  readonly #cut = new Map<string, number>();
  #isHealed = false;

  constructor(clock: Clock, random: RandomStream, noise: Noise) {
    this.#clock = clock;
    this.#random = random;
    this.#noise = noise;
  }

  send(plane: string, way: Way, deliver: () => void): void {
    const { loss, duplicates } = this.#noise;
    this.counts.sent++;
    const [lostBy, doubledBy] = [this.#random(), this.#random()];
    if (!this.#isHealed && lostBy < loss) return void this.counts.lost++;
    this.#carry(plane, way, deliver);
    if (this.#isHealed || doubledBy >= duplicates) return;
    this.counts.doubled++;
    this.#carry(plane, way, deliver);
  }

  /** Nothing passes on a way for a while, not even what is under way. */
  async cut(plane: string, ways: readonly Way[], ms: number): Promise<void> {
    const keys = ways.map((way) => `${plane} ${way}`);
    for (const key of keys) this.#cut.set(key, (this.#cut.get(key) ?? 0) + 1);
    await this.#clock.sleep(ms);
    for (const key of keys) this.#cut.set(key, (this.#cut.get(key) ?? 0) - 1);
  }

  heal(): void {
    this.#isHealed = true;
  }

  #isCut(plane: string, way: Way): boolean {
    return !this.#isHealed && (this.#cut.get(`${plane} ${way}`) ?? 0) > 0;
  }

  #carry(plane: string, way: Way, deliver: () => void): void {
    const late = this.#isHealed ? 0 : this.#random() ** 3 * this.#noise.delayMs;
    const delayMs = Math.ceil(1 + this.#random() * USUAL_MS + late);
    if (late > USUAL_MS) this.counts.late++;
    if (this.#isCut(plane, way)) return void this.counts.lost++;
    void this.#clock.sleep(delayMs).then(() => {
      if (this.#isCut(plane, way)) this.counts.lost++;
      else deliver();
    });
  }
}
