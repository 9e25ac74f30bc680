import type { RandomStream } from "../../src/core/stats/random.ts";

/** What a scenario is drawn with. */
export class Draw {
  readonly #random: RandomStream;

  constructor(random: RandomStream) {
    this.#random = random;
  }

  of<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T;
  }

  between(least: number, most: number): number {
    return Math.round(least + this.#random() * (most - least));
  }

  list<T>(most: number, one: () => T): readonly T[] {
    return Array.from({ length: this.between(0, most) }, one);
  }
}
