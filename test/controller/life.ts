import type { ControllerOptions } from "../../src/controller/controller-options.ts";
import type { Change, ControllerStore } from "../../src/ports/controller-store.ts";

/** How a dead process is told from a failing one. */
export class Crash extends Error {}

/** Where a process can die. Each is passed many times in one rollout. */
export const POINTS = [
  "before-commit",
  "after-commit",
  "before-publish",
  "after-publish",
  "before-apply",
  "after-apply",
  "after-read-back",
  "after-health",
] as const;
/** Those and what a product is asked for that a cutover moves, which only a world with such products passes. */
export type Point = (typeof POINTS)[number] | "before-product" | "after-product";

/** One life of a controller process: dies where it is told to; a dead one changes nothing any more. */
export class Life {
  passed = 0;
  isDead = false;
  readonly seen = new Map<Point, number>();
  readonly #diesAt: (point: Point, passed: number) => boolean;

  /** @param diesAt asked at each point, with how many were passed, this one included */
  constructor(diesAt: (point: Point, passed: number) => boolean) {
    this.#diesAt = diesAt;
  }

  pass(point: Point): void {
    if (this.isDead) throw new Crash(`dead at ${point}`);
    this.passed++;
    this.seen.set(point, (this.seen.get(point) ?? 0) + 1);
    if (this.#diesAt(point, this.passed)) {
      this.isDead = true;
      throw new Crash(point);
    }
  }

  /** Passes the points of one commit. */
  async commit(change: Change, commit: () => Promise<boolean>): Promise<boolean> {
    const isPublishing = change.published !== undefined;
    this.pass(isPublishing ? "before-publish" : "before-commit");
    const isStored = await commit();
    this.pass(isPublishing ? "after-publish" : "after-commit");
    return isStored;
  }

  /** What a controller of this life is made of; `store` passes the points of its commits itself. */
  wrap(options: ControllerOptions, store: ControllerStore): ControllerOptions {
    const driver = options.traffic["gateway"] as NonNullable<(typeof options.traffic)[string]>;
    const gateway: typeof driver = {
      ...driver,
      apply: async (document, signal) => {
        this.pass("before-apply");
        await driver.apply(document, signal);
        this.pass("after-apply");
      },
      confirm: async (document, direction, signal) => {
        const confirmation = await driver.confirm(document, direction, signal);
        if (confirmation.isConfirmed) this.pass("after-read-back");
        return confirmation;
      },
    };
    const health: typeof options.health = {
      read: async (url, signal) => {
        const answer = await options.health.read(url, signal);
        this.pass("after-health");
        return answer;
      },
    };
    return { ...options, store, traffic: { gateway }, health, log: () => {} };
  }
}
