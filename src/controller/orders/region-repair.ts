import { INDEX_FIELDS } from "../../core/drill/compare.ts";
import type { PurgeRegionOrder, RebuildRegionOrder } from "../../core/drill/order.ts";
import { regionOf } from "../../core/drill/plan.ts";
import { manifestDifferences } from "../../core/release/manifest.ts";
import { purgingRegion, rebuilding } from "../../contract/region-order.ts";
import type { DrillInForce } from "../../core/drill/plan.ts";
import type { DrillTools } from "./drill-tools.ts";
import { A_MOMENT, DONE, type Executor, executor, type Outcome } from "./executor.ts";

const LOOK_MS = 500;

/** `region.rebuild` and `region.purge`: what makes a region equal again before anybody comes back. */
export function regionRepairs(tools: DrillTools): readonly Executor<DrillInForce>[] {
  return [rebuilds(tools), purges(tools)];
}

/** The region is asked to build; that it is done is read from what it states, never from its answer. @source IX-10 */
function rebuilds(tools: DrillTools): Executor<DrillInForce> {
  const { clock, health, askRebuild } = tools;
  return executor<RebuildRegionOrder["args"], void, DrillInForce>({
    port: "region",
    verb: "rebuild",
    args: rebuilding,
    retry: A_MOMENT,
    async apply({ args }, { plan }, signal) {
      const { rebuildUrl } = regionOf(plan, args.region);
      if (rebuildUrl === null) throw new Error(`invariant: ${args.region} is rebuilt, and the plan says not how`);
      await askRebuild(rebuildUrl, signal);
    },
    async verify(_, { args, withinMs }, { plan, pinned }, signal): Promise<Outcome> {
      const deadline = clock.monoMs() + withinMs;
      for (;;) {
        const own = await health.read(regionOf(plan, args.region).healthUrl, signal);
        signal.throwIfAborted();
        const isRead = own.kind === "read" && pinned !== null;
        const found = isRead ? manifestDifferences(own.manifest, pinned.candidate, INDEX_FIELDS) : null;
        if (found?.length === 0) return DONE;
        if (clock.monoMs() >= deadline) {
          const what = found?.map(({ field, left, right }) => `${field} is ${left}, expected ${right}`).join("; ");
          const message = `the index of ${args.region} is not that of ${args.like}: ${what ?? "it is not ready"}`;
          return { kind: "failed", code: "unverified", message };
        }
        await clock.sleep(LOOK_MS, signal);
        signal.throwIfAborted();
      }
    },
  });
}

function purges({ resources }: DrillTools): Executor<DrillInForce> {
  return executor<PurgeRegionOrder["args"], Outcome, DrillInForce>({
    port: "region",
    verb: "purge",
    args: purgingRegion,
    retry: A_MOMENT,
    async apply({ args }, { plan }, signal): Promise<Outcome> {
      const { cache } = regionOf(plan, args.region);
      if (cache === null) throw new Error(`invariant: the cache of ${args.region} is purged, and the plan has none`);
      const driver = await resources.openCache(cache, signal);
      try {
        await driver.purge(cache.namespace, null, signal);
        const left = driver.can.list ? await driver.topKeys(cache.namespace, 1, signal) : [];
        if (left.length === 0) return DONE;
        return { kind: "failed", code: "unverified", message: `"${left[0]}" is still cached in ${args.region}` };
      } finally {
        await driver.close().catch(() => {}); // It was of use, or its error is on its way already.
      }
    },
    verify: (found) => Promise.resolve(found),
  });
}
