import type { CutoverPlan } from "../../src/core/cutover/plan.ts";
import type { RolloutPlan } from "../../src/core/stage/plan.ts";
import { aGate } from "../builders.ts";
import { POINTS, type Point } from "../controller/life.ts";
import type { Draw } from "./draw.ts";
import type { Fault } from "./scenario.ts";

/** Products that a cutover moves beside traffic and effects. */
export type Product = "index" | "queue" | "cache";
const PRODUCTS: readonly Product[] = ["index", "queue", "cache"];

/**
 * What a product does for a while. `refuses`: nothing is done, and said so · `loses-answer`: done, and not said · `unseen`:
 * said, and done later or never · `errs`: it answers with an error that is not worth a second try.
 */
export type Hindrance = "refuses" | "loses-answer" | "unseen" | "errs";

/** What follows one another in a run, each as soon as the one before is over. */
export type Kind = "rollout" | "cutover";

/** What a run with a cutover has beside that of a rollout. */
export interface CutoverPart {
  readonly kinds: readonly Kind[];
  readonly has: Readonly<Record<Product | "effects", boolean>>;
  readonly freezeMs: number;
  readonly holdMs: number;
  readonly stepWithinMs: number;
  /** The candidate's index is made for another metric. */
  readonly isUnfit: boolean;
  /** How often each worker asks for leave, and how long it works on one message, in milliseconds. */
  readonly rhythms: readonly { readonly askMs: number; readonly workMs: number }[];
}

/** Every release that a run may meet, in order; each has an address, an index, a queue and a consumer of its own. */
export const RELEASES = ["r-stable", "r-candidate", "r-third"] as const;
/** A producer and a consumer of each release. */
export const WORKERS = RELEASES.flatMap((release) =>
  (["producer", "consumer"] as const).map((role) => ({ release, role, id: `${release} ${role}` })),
);
/** Where a process dies in such a run. */
const RESOURCE_POINTS: readonly Point[] = [...POINTS, "before-product", "after-product", "after-product"];

export function cutoverPartOf(draw: Draw): CutoverPart {
  const has = (often: number) => draw.between(1, 10) <= often;
  const cutover = (["cutover"] as const).slice();
  return {
    kinds: draw.of<readonly Kind[]>([
      cutover,
      cutover,
      cutover,
      ["rollout", "cutover"],
      ["cutover", "rollout"],
      ["cutover", "cutover"],
    ]),
    has: { index: has(7), queue: has(7), cache: has(6), effects: has(9) },
    freezeMs: draw.of([9_000, 20_000, 20_000, 30_000]),
    holdMs: draw.of([500, 2_000, 4_000]),
    stepWithinMs: draw.of([1_000, 3_000, 6_000]),
    isUnfit: draw.between(1, 20) === 1,
    rhythms: WORKERS.map(() => ({ askMs: draw.between(250, 2_200), workMs: draw.between(20, 400) })),
  };
}

/** One fault of a run with a cutover: those of a rollout, and those of products and workers. */
export function cutoverFaultOf(draw: Draw, untilMs: number, usual: () => Fault): Fault {
  const atMs = draw.between(1_200, untilMs);
  const kind = draw.of(["usual", "usual", "kill", "hinder", "hinder", "worker"] as const);
  switch (kind) {
    case "usual":
      return usual();
    case "kill":
      return { atMs, kind, point: draw.of(RESOURCE_POINTS), downMs: draw.of([20, draw.between(20, 7_000)]) };
    case "hinder": {
      const forMs = draw.of([draw.between(100, 1_500), draw.between(500, 9_000)]);
      const how = draw.of<Hindrance>(["refuses", "loses-answer", "loses-answer", "unseen", "unseen", "errs"]);
      return { atMs, kind, product: draw.of(PRODUCTS), how, forMs };
    }
    case "worker": {
      const node = draw.of(WORKERS).id;
      const forMs = draw.of([draw.between(200, 3_000), draw.between(1_000, 12_000)]);
      const what = draw.of(["cut", "stand", "suspend"] as const);
      if (what === "cut") return { atMs, kind: what, plane: node, ways: draw.of([["up"], ["down"]] as const), forMs };
      return { atMs, kind: what, node, forMs };
    }
  }
}

/** What the one who writes a cutover's document finds: which release serves, and who has what. */
export interface Found {
  readonly stable: string;
  readonly index: string;
  readonly queue: string;
  readonly consumer: string;
}

const addressOf = (release: string): number => 4_001 + RELEASES.findIndex((name) => name === release);

/** Where a release is served; the names of its resources end with it too. */
export function armOf(release: string) {
  const url = `http://127.0.0.1:${addressOf(release)}`;
  return {
    releaseId: release,
    url: `${url}/answer`,
    endpoints: [url],
    cachePrefix: `${release}:`,
    healthUrl: `${url}/healthz/ready`,
    answerUrl: `${url}/answer`,
  };
}

/** The release that a port belongs to. */
export function releaseAt(url: string): string {
  return RELEASES[Number(new URL(url).port) - 4_001] ?? "nobody";
}

/** The document of a cutover as somebody would write it who looks at what is there. */
export function cutoverPlanOf(base: RolloutPlan, part: CutoverPart, id: string, to: string, found: Found): CutoverPlan {
  const place = { driver: "memory", url: "memory:", secretFile: null };
  const { has, freezeMs, holdMs, stepWithinMs } = part;
  const { leaseMs: _, ...plan } = base;
  return {
    ...plan,
    rolloutId: id,
    arms: { stable: armOf(found.stable), candidate: armOf(to) },
    stages: [],
    gates: [aGate("parity")],
    documentDigest: `sha256:${id}`,
    cutover: {
      index: has.index
        ? {
            ...place,
            alias: "docs",
            index: { stable: found.index, candidate: `docs of ${to}` },
            indexHash: { stable: `hash of ${found.index}`, candidate: `hash of docs of ${to}` },
          }
        : null,
      queue: has.queue
        ? {
            ...place,
            queue: { stable: found.queue, candidate: `jobs of ${to}` },
            consumer: { stable: found.consumer, candidate: `workers of ${to}` },
            pointer: "jobs",
          }
        : null,
      cache: has.cache ? { ...place, namespace: { stable: `${found.stable}:`, candidate: `${to}:` }, purge: [] } : null,
      freezeMs: has.effects ? freezeMs : null,
      holdMs,
      stepWithinMs,
      fromEpoch: 0,
    },
  };
}
