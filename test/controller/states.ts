import type { RolloutPlan } from "../../src/core/stage/plan.ts";
import { DriverError } from "../../src/ports/driver-error.ts";
import type { ControllerOptions } from "../../src/controller/controller-options.ts";
import { probes, traffic, watch } from "../builders.ts";
import { shortPlan, World } from "./world.ts";

/** Everything a person can ask of a rollout, as the columns of the table. `apply` is its own document once more. */
export const COLUMNS = [
  "promote",
  "promote --despite",
  "pause",
  "resume",
  "abort",
  "rollback",
  "retry",
  "apply",
  "apply another",
] as const;
export type Column = (typeof COLUMNS)[number];

/**
 * What a command comes to: the phase right after it acted; `held`, exit 0, where what it asks for is so already; or the
 * exit code of its refusal and the command that its answer names.
 */
export type Cell =
  | { readonly acts: string }
  | { readonly held: number }
  | { readonly refused: number; readonly instead: string };

const acts = (phase: string): Cell => ({ acts: phase });
const held = (exit = 0): Cell => ({ held: exit });
const begins: Cell = { acts: "begins" };
const no = (refused: number, instead: string): Cell => ({ refused, instead });

export interface StateRow {
  readonly state: string;
  readonly means: string;
  /** In the order of `COLUMNS`. */
  readonly cells: readonly Cell[];
  /** What the row needs of the world before the rollout is applied, and how it is reached afterwards. */
  readonly plan: Partial<RolloutPlan>;
  reach(world: Bench): Promise<void>;
}

export const NAME = "q2";

/** A world with everything a state needs: health and probes that can hang, gateways that can leave. */
export class Bench extends World {
  /** Health reads answered before the next one hangs; null for none. */
  healthReadsLeft: number | null = null;
  probing: "hang" | "fail" = "hang";

  bench(): Promise<this> {
    return this.open((options) => this.#with(options));
  }

  #with(options: ControllerOptions): ControllerOptions {
    return {
      ...options,
      health: {
        read: (url, signal) => {
          if (this.healthReadsLeft !== null && this.healthReadsLeft-- <= 0) return new Promise(() => {});
          return options.health.read(url, signal);
        },
      },
      probes: {
        run: async () => {
          await this.clock.sleep(1); // It takes a moment, in which a row says what becomes of it.
          if (this.probing === "hang") return new Promise(() => {});
          throw new DriverError("unsupported", "never", "the gold set is gone");
        },
        smoke: () => Promise.resolve(null),
      },
    };
  }

  get now(): string | undefined {
    return this.controller.rollout(NAME)?.rollout.phase;
  }

  order(command: "promote" | "abort" | "pause", full = false): Promise<unknown> {
    const asked = { command, full, despite: true, by: "ann", reason: "" };
    return this.controller.command(NAME, asked);
  }

  async until(phase: string): Promise<void> {
    for (let quarter = 0; quarter < 200 && this.now !== phase; quarter++) await this.quarter();
  }
}

const LONG = [traffic(20, 600_000), watch(600_000)];
const WITHIN_MS = 3_000;
const running = (promote: Cell, despite: Cell, pause: Cell, resume: Cell, back: string): readonly Cell[] => [
  promote,
  despite,
  pause,
  resume,
  acts(back),
  acts(back),
  no(13, "abort"),
  held(),
  no(13, "abort"),
];
const HOLDS = no(1, "promote q2 --despite");

/** Every state of a rollout, what it means, and what each command comes to in it. */
export const STATES: readonly StateRow[] = [
  {
    state: "checking",
    means: "the identity of both arms is compared",
    cells: running(no(1, "abort"), no(1, "abort"), acts("checking"), held(), "ended"),
    plan: { stages: LONG },
    reach: async () => {},
  },
  {
    state: "probing",
    means: "the gold questions are asked, no user has moved",
    cells: running(no(1, "abort"), no(1, "abort"), acts("probing"), held(), "ended"),
    plan: { stages: [probes(), ...LONG] },
    reach: (world) => world.until("probing"),
  },
  {
    state: "waiting at the probes",
    means: "the probes did not pass, a person must decide",
    cells: running(HOLDS, acts("progressing"), acts("waiting"), acts("probing"), "ended"),
    plan: { stages: [probes(), ...LONG] },
    reach: async (world) => {
      world.probing = "fail";
      await world.until("waiting");
      world.probing = "hang";
    },
  },
  {
    state: "setting a share",
    means: "a share is ordered and not confirmed yet",
    cells: running(no(1, "abort"), no(1, "abort"), acts("progressing"), held(), "rolling-back"),
    plan: { stages: LONG },
    reach: async (world) => {
      world.isGatewayAlive = false;
      await world.until("progressing");
    },
  },
  {
    state: "holding",
    means: "a share is confirmed and held",
    cells: running(HOLDS, acts("progressing"), acts("progressing"), held(), "rolling-back"),
    plan: { stages: LONG },
    reach: async (world) => {
      world.gateway.requestsAWindow = 4;
      await world.run(8);
    },
  },
  {
    state: "waiting at a share",
    means: "the cap is over and a gate is unproven, a person must decide",
    cells: running(HOLDS, acts("progressing"), acts("waiting"), acts("progressing"), "rolling-back"),
    plan: { stages: [traffic(20, 500, 1_500), watch(600_000)] },
    reach: async (world) => {
      world.gateway.requestsAWindow = 4;
      await world.until("waiting");
    },
  },
  {
    state: "paused",
    means: "a person stopped promotion",
    cells: running(HOLDS, acts("progressing"), held(), acts("progressing"), "rolling-back"),
    plan: { stages: LONG },
    reach: async (world) => {
      world.gateway.requestsAWindow = 4;
      await world.run(8);
      await world.order("pause");
    },
  },
  {
    state: "watching",
    means: "everybody is on the candidate, stable is kept",
    cells: running(acts("promoting"), acts("promoting"), acts("progressing"), held(), "rolling-back"),
    plan: { stages: LONG },
    reach: async (world) => {
      await world.run(8);
      await world.order("promote", true);
      await world.run(4);
    },
  },
  {
    state: "promoting",
    means: "the candidate becomes the stable release, not confirmed yet",
    cells: running(held(), held(), no(1, "rollback"), held(), "rolling-back"),
    plan: { stages: LONG },
    reach: async (world) => {
      await world.run(8);
      await world.order("promote", true);
      await world.run(4);
      world.isGatewayAlive = false;
      await world.order("promote");
    },
  },
  {
    state: "retreating",
    means: "a failed stage goes back to the share before it",
    cells: running(no(1, "abort"), no(1, "abort"), no(1, "abort"), held(), "rolling-back"),
    plan: { stages: [traffic(8, 500), traffic(20, 600_000), watch(600_000)], onFail: { to: "previous-stage" } },
    reach: async (world) => {
      Object.assign(world.gateway, { failureShare: 1, failsFromBp: 1_000 });
      for (let quarter = 0; quarter < 100 && world.now !== "retreating"; quarter++) await world.quarter();
      world.isGatewayAlive = false;
    },
  },
  {
    state: "rolling back",
    means: "stable is ordered for everybody, not confirmed yet",
    cells: [
      no(1, "watch"),
      no(1, "watch"),
      no(1, "watch"),
      no(1, "watch"),
      held(),
      held(),
      no(13, "abort"),
      held(),
      no(13, "abort"),
    ],
    plan: { stages: LONG },
    reach: async (world) => {
      await world.run(8);
      world.isGatewayAlive = false;
      await world.order("abort");
    },
  },
  {
    state: "promoted",
    means: "the candidate is the stable release",
    cells: [
      held(),
      held(),
      no(1, "rollback"),
      no(1, "rollback"),
      no(1, "rollback"),
      acts("rolling-back"),
      no(13, "serves already"),
      held(0),
      begins,
    ],
    plan: {},
    reach: (world) => world.until("promoted"),
  },
  {
    state: "rolled back",
    means: "a gate or a person took the candidate back",
    cells: [no(1, "retry"), no(1, "retry"), no(1, "retry"), no(1, "retry"), held(), held(), begins, held(10), begins],
    plan: {},
    reach: async (world) => {
      world.gateway.failureShare = 1;
      await world.until("rolled-back");
      world.gateway.failureShare = 0;
    },
  },
  {
    state: "aborted",
    means: "a person ended it at stable",
    cells: [no(1, "retry"), no(1, "retry"), no(1, "retry"), no(1, "retry"), held(), held(), begins, held(12), begins],
    plan: { stages: LONG },
    reach: async (world) => {
      await world.run(8);
      await world.order("abort");
      await world.until("aborted");
    },
  },
  {
    state: "rollback failed",
    means: "the way back was not confirmed in time",
    cells: [
      no(1, "rollback"),
      no(1, "rollback"),
      no(1, "rollback"),
      no(1, "rollback"),
      no(1, "rollback"),
      acts("rolling-back"),
      begins,
      held(14),
      begins,
    ],
    plan: { stages: LONG, rollbackWithinMs: WITHIN_MS },
    reach: async (world) => {
      await world.run(8);
      world.isGatewayAlive = false;
      await world.order("abort");
      await world.until("rollback-failed");
      world.isGatewayAlive = true;
      await world.run(1);
    },
  },
  {
    state: "superseded",
    means: "promoted, and a later rollout has published its split",
    cells: [
      no(13, "rollback q3"),
      no(13, "rollback q3"),
      no(13, "rollback q3"),
      no(13, "rollback q3"),
      no(13, "rollback q3"),
      no(13, "rollback q3"),
      begins,
      held(0),
      begins,
    ],
    plan: {},
    reach: async (world) => {
      await world.until("promoted");
      await world.controller.apply(stepPlan("q3", 4003));
      for (let quarter = 0; quarter < 100; quarter++) await world.quarter();
    },
  },
];

/** A rollout from whatever is served now to the service at a port. */
export function stepPlan(name: string, port: number, over: Partial<RolloutPlan> = {}): RolloutPlan {
  const candidate = {
    releaseId: `r${port}`,
    url: `http://127.0.0.1:${port}/answer`,
    endpoints: [`http://127.0.0.1:${port}`],
    cachePrefix: `${name}.1:`,
    healthUrl: `http://127.0.0.1:${port}/healthz/ready`,
    answerUrl: null,
  };
  const { arms } = shortPlan();
  return shortPlan({ rolloutId: name, documentDigest: `sha256:${name}`, arms: { ...arms, candidate }, ...over });
}
