import { z } from "zod";
import { cacheCollisions } from "../core/cutover/cache-collision.ts";
import type { CutoverPlan, CutoverTerms } from "../core/cutover/plan.ts";
import type { ResourcePlace } from "../core/cutover/resources.ts";
import type { Problem } from "../core/problem.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import { suggestion } from "../core/did-you-mean.ts";
import type { KnownDrivers } from "./known-drivers.ts";
import type { Report } from "./report.ts";
import type { RolloutDocument } from "./rollout-schema.ts";

/** What a cutover gets when the document is silent; `plan` shows the result. */
const DEFAULTS = { freezeMs: 30_000, holdMs: 30 * 60_000, stepWithinMs: 30_000 } as const;

/** Names as stores, queues and caches have them. */
const resourceName = z.string().min(1).max(200);

/** @param duration the documents' own; how a product is reached is the same for all of them */
const place = {
  driver: z.string().min(1).max(64),
  /** Address of the product, without credentials. */
  url: z.string().min(1).max(2_048),
  /** Absolute path of a file with the password, token or whole connection text, on the controller's machine. */
  secretFile: z.string().startsWith("/").max(1_024).optional(),
};

/** The index of each arm behind one public name. */
export const indexSchema = z.strictObject({
  ...place,
  alias: resourceName,
  from: resourceName,
  to: resourceName,
  /** INDEX_HASH that the index of the candidate must carry. */
  hash: z.string().min(1).max(256).optional(),
});

/** The queue of each arm, and who consumes it. */
export const queueSchema = z.strictObject({
  ...place,
  from: resourceName,
  to: resourceName,
  consumers: z.strictObject({ from: resourceName, to: resourceName }),
  /** Name of the record that producers and consumers read. */
  pointer: resourceName,
});

/** The cache of answers; each arm's namespace is its cachePrefix unless it is given. */
export const cacheSchema = z.strictObject({
  ...place,
  from: resourceName.optional(),
  to: resourceName.optional(),
  /** Keys of answers that users can still see after the flip, without the namespace. */
  purge: z.array(z.string().min(1).max(1_024)).max(1_000).optional(),
});

/** Everything at once, in a proven order. @param duration a length of time as documents write it */
export const blueGreenSchema = (duration: z.ZodType<number>) =>
  z.strictObject({
    /** Whether the service acts on effects (jobs, webhooks, writes of an indexer) that must have one owner. */
    effects: z.boolean().optional(),
    /** Longest time that nobody may act on them before it all goes back. */
    freeze: duration.optional(),
    /** How long the arm before is kept ready, once the other one serves. */
    hold: duration.optional(),
    /** How long each step may be tried again, each way. */
    stepWithin: duration.optional(),
  });

type Spec = RolloutDocument["spec"];

/** What is cut over beside traffic and is not cut over by shares. */
const RESOURCES = ["index", "queue", "cache"] as const;

/** A cutover moves everything at once; shares, copies and numbers from outside belong to the other strategies. */
export function checkCutover(
  { spec }: RolloutDocument,
  { resources }: Pick<KnownDrivers, "resources">,
  problem: Report,
): readonly Problem[] {
  const { blueGreen } = spec.strategy ?? {};
  if (blueGreen === undefined) {
    return RESOURCES.filter((key) => spec[key] !== undefined).map((key) =>
      problem(["spec", key], "E140", `${key} is cut over by strategy.blueGreen, and the document has another strategy`),
    );
  }
  const unread = (["shadow", "segments", "metrics"] as const).filter((key) => spec[key] !== undefined);
  const hasEffects = spec.queue !== undefined || blueGreen.effects === true;
  const unknown = RESOURCES.flatMap((key) => {
    const driver = spec[key]?.driver;
    if (driver === undefined || resources[key].includes(driver)) return [];
    const message = `unknown value "${driver}"; ${suggestion(driver, resources[key])}`;
    return [problem(["spec", key, "driver"], "E108", message)];
  });
  return [
    ...unknown,
    ...unread.map((key) =>
      problem(["spec", key], "E141", `a cutover has no shares, so nothing reads ${key}`, `remove ${key}`),
    ),
    ...(spec.queue !== undefined && blueGreen.effects === false
      ? [
          problem(
            ["spec", "strategy", "blueGreen", "effects"],
            "E142",
            "a queue has effects; they need one owner",
            "remove effects",
          ),
        ]
      : []),
    ...(hasEffects && sameRelease(spec)
      ? [
          problem(
            ["spec", "candidate", "release"],
            "E143",
            "effects belong to a release by its name, and both arms have one",
            "give the candidate a release of its own",
          ),
        ]
      : []),
    ...(spec.index !== undefined && spec.index.from === spec.index.to
      ? [
          problem(
            ["spec", "index", "to"],
            "E144",
            `both arms have the index ${spec.index.to}`,
            "build an index of its own for the candidate, or leave index out",
          ),
        ]
      : []),
    ...collisions(spec).map((message) => problem(["spec", "cache"], "E145", message)),
  ];
}

/** As far as the document alone says which namespaces there are; what is left is looked at when they are purged. */
function collisions({ cache, stable, candidate }: Spec): readonly string[] {
  const from = cache?.from ?? (stable === "current" ? undefined : stable.cachePrefix);
  const to = cache?.to ?? candidate.cachePrefix;
  if (cache === undefined || from === undefined || to === undefined) return [];
  return cacheCollisions({ namespace: { stable: from, candidate: to }, purge: cache.purge ?? [] });
}

function sameRelease({ stable, candidate }: Spec): boolean {
  return stable !== "current" && stable.release !== undefined && stable.release === candidate.release;
}

/** The plan of a document with strategy.blueGreen; that of another one as it is. */
export function withCutover(plan: RolloutPlan, { spec }: Pick<RolloutDocument, "spec">): RolloutPlan | CutoverPlan {
  const { blueGreen } = spec.strategy ?? {};
  if (blueGreen === undefined) return plan;
  const hasEffects = blueGreen.effects ?? spec.queue !== undefined;
  const cutover: CutoverTerms = {
    ...planResources(spec, plan),
    freezeMs: hasEffects ? (blueGreen.freeze ?? DEFAULTS.freezeMs) : null,
    holdMs: blueGreen.hold ?? DEFAULTS.holdMs,
    stepWithinMs: blueGreen.stepWithin ?? DEFAULTS.stepWithinMs,
    fromEpoch: 0,
  };
  return { ...plan, stages: [], cutover };
}

function planResources(
  { index, queue, cache }: Spec,
  { arms }: RolloutPlan,
): Pick<CutoverTerms, "index" | "queue" | "cache"> {
  return {
    index:
      index === undefined
        ? null
        : {
            ...planPlace(index),
            alias: index.alias,
            index: { stable: index.from, candidate: index.to },
            indexHash: { stable: null, candidate: index.hash ?? null },
          },
    queue:
      queue === undefined
        ? null
        : {
            ...planPlace(queue),
            queue: { stable: queue.from, candidate: queue.to },
            consumer: { stable: queue.consumers.from, candidate: queue.consumers.to },
            pointer: queue.pointer,
          },
    cache:
      cache === undefined
        ? null
        : {
            ...planPlace(cache),
            namespace: {
              stable: cache.from ?? arms.stable.cachePrefix,
              candidate: cache.to ?? arms.candidate.cachePrefix,
            },
            purge: cache.purge ?? [],
          },
  };
}

function planPlace({
  driver,
  url,
  secretFile,
}: {
  driver: string;
  url: string;
  secretFile?: string | undefined;
}): ResourcePlace {
  return { driver, url, secretFile: secretFile ?? null };
}
