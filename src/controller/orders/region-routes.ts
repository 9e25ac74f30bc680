import type { AdoptedOrder, RouteRegionOrder } from "../../core/drill/order.ts";
import { CONTRACT_FIELDS } from "../../core/drill/compare.ts";
import type { DrillPlan } from "../../core/drill/plan.ts";
import { manifestDifferences } from "../../core/release/manifest.ts";
import type { Regions, RegionTarget } from "../../core/routing/regions.ts";
import type { RoutingDocument } from "../../core/routing/document.ts";
import { type Bp, BP_ALL } from "../../core/unit.ts";
import { nothing } from "../../contract/order.ts";
import { routing } from "../../contract/region-order.ts";
import { DriverError } from "../../ports/driver-error.ts";
import type { TrafficDriver } from "../../ports/traffic.ts";
import type { DrillInForce } from "../../core/drill/plan.ts";
import type { DrillTools } from "./drill-tools.ts";
import { A_MOMENT, DONE, type Executor, executor } from "./executor.ts";
import { confirmed } from "./traffic.ts";

/** Longest time for a region to say how it is while users are moved: an evacuation waits for nobody. */
const HEALTH_MS = 1_000;
/** Gateways are what tells regions apart. */
const DRIVER = "gateway";

/** `region.route` and `region.adopted`: where users of each region are served, and that every data plane says so. */
export function regionRoutes(tools: DrillTools): readonly Executor<DrillInForce>[] {
  return [routes(tools), adopted(tools)];
}

function driverOf({ traffic }: DrillTools): TrafficDriver {
  const driver = traffic[DRIVER] ?? traffic["memory"];
  if (driver === undefined) throw new DriverError("unsupported", "never", "this controller has no gateways");
  return driver;
}

function routes(tools: DrillTools): Executor<DrillInForce> {
  const { clock, ledger } = tools;
  return executor<RouteRegionOrder["args"], RoutingDocument, DrillInForce>({
    port: "region",
    verb: "route",
    args: routing,
    retry: A_MOMENT,
    async apply({ id, args }, { plan, pinned }, signal) {
      const fit = await fitRegions(tools, plan, pinned?.candidate ?? null, signal);
      const order = { id, drill: plan.drillId };
      const next = (before: Regions | null) => targetsOf(plan, before, args, fit);
      const document = await ledger.publishRegions(plan.service, order, next, signal);
      tools.regionTraffic.learn(document);
      await driverOf(tools).apply(document, signal);
      return document;
    },
    verify: (document, { args, withinMs }, _, signal) =>
      args.isConfirmed ? confirmed(driverOf(tools), document, withinMs, clock, signal) : Promise.resolve(DONE),
  });
}

function adopted(tools: DrillTools): Executor<DrillInForce> {
  return executor<AdoptedOrder["args"], RoutingDocument, DrillInForce>({
    port: "region",
    verb: "adopted",
    args: nothing,
    retry: A_MOMENT,
    async apply(_, { plan }, signal) {
      const document = tools.ledger.current(plan.service);
      if (document === null) throw new DriverError("rejected", "never", `service ${plan.service} has no document`);
      await driverOf(tools).apply(document, signal);
      return document;
    },
    verify: (document, { withinMs }, __, signal) => confirmed(driverOf(tools), document, withinMs, tools.clock, signal),
  });
}

/** Every region of the plan: one gets this share of its own users, the others keep what they have. */
function targetsOf(
  plan: DrillPlan,
  before: Regions | null,
  { region, ownBp }: RouteRegionOrder["args"],
  fit: ReadonlySet<string>,
): Regions {
  const targets = plan.regions.map(({ name, url, nearest }): RegionTarget => {
    const known = before?.find((one) => one.name === name) ?? null;
    const own = name === region ? (ownBp as Bp) : (known?.ownBp ?? BP_ALL);
    return { name, endpoints: [originOf(url)], ownBp: own, isFit: fit.has(name), nearest };
  });
  if (targets.some((one) => one.ownBp === BP_ALL && one.isFit)) return targets;
  // Somebody has to serve: where none is fit, whoever did goes on.
  return targets.map((one) => ({ ...one, isFit: before?.find(({ name }) => name === one.name)?.isFit ?? true }));
}

/** Data planes keep a request's own path, so a region is told by its origin alone. */
function originOf(url: string): string {
  return new URL(url).origin;
}

/**
 * Regions that are ready and state the contract of the start: not those that merely answer. Before anything is known
 * of the start, those that are ready.
 */
async function fitRegions(
  { health, clock }: DrillTools,
  { regions }: DrillPlan,
  contract: Parameters<typeof manifestDifferences>[0] | null,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const over = new AbortController();
  const limit = clock.timeout(HEALTH_MS, AbortSignal.any([signal, over.signal]));
  const found = await Promise.all(
    regions.map(async ({ name, healthUrl }) => {
      const answer = await health.read(healthUrl, limit);
      if (answer.kind !== "read") return null;
      const isSame = contract === null || manifestDifferences(contract, answer.manifest, CONTRACT_FIELDS).length === 0;
      return isSame ? name : null;
    }),
  );
  over.abort();
  return new Set(found.filter((name) => name !== null));
}
