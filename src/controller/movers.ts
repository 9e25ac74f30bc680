import type { Cutover } from "../core/cutover/machine.ts";
import type { CutoverPlan } from "../core/cutover/plan.ts";
import type { Drill } from "../core/drill/machine.ts";
import type { DrillPlan } from "../core/drill/plan.ts";
import { isFinal } from "../core/rollout/rollout.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { OperatorAnswer } from "../ports/controller-store.ts";
import type { RegionProbe } from "../ports/region-probe.ts";
import type { Refused } from "./acceptance.ts";
import { type CutoverApplied, Cutovers, type CutoversTools } from "./cutovers.ts";
import { type DrillApplied, Drills } from "./drills.ts";
import type { DrillTools } from "./orders/drill-tools.ts";
import { RegionTraffic } from "./region-traffic.ts";
import { noDriver } from "./resources.ts";

/** What a host may add for drills; each is left out where it can do none of it. */
export interface DrillOptions {
  /** Asks regions gold questions; left out: no check of a drill asks any. */
  readonly regionProbe?: RegionProbe;
  /** Asks with POST that a region builds its index again; left out: none can be asked. */
  readonly askRebuild?: DrillTools["askRebuild"];
  /** Opens the agent that breaks something on purpose; left out: nothing can be broken. */
  readonly faultAgent?: DrillTools["faultAgent"];
}

/** What moves all of a service beside rollouts: cutovers and drills, of which one at a time does. */
export class Movers {
  readonly cutovers: Cutovers;
  readonly drills: Drills;
  readonly regionTraffic = new RegionTraffic();

  constructor(
    tools: CutoversTools,
    { regionProbe, askRebuild = noRebuild, faultAgent = noFaults }: DrillOptions,
    hub: { current(service: string): RoutingDocument | null },
  ) {
    this.cutovers = new Cutovers(tools, (service, id) => this.drills.conflict(service, id)?.message ?? null);
    const { regionTraffic } = this;
    const regionsOf = (service: string) => hub.current(service)?.regions ?? null;
    const busy = (service: string): string | null => {
      const rollout = tools.rollouts().find((one) => one.plan.service === service && !isFinal(one))?.plan.rolloutId;
      if (rollout !== undefined)
        return `rollout ${rollout} of service ${service} runs; end it first: sluice abort ${rollout}`;
      const cutover = this.cutovers.running(service)?.plan.rolloutId ?? null;
      return cutover === null ? null : `cutover ${cutover} of service ${service} runs; wait for its end`;
    };
    const asking = { regionProbe: regionProbe ?? null, askRebuild, faultAgent };
    this.drills = new Drills({ ...tools, ...asking, regionTraffic, regionsOf }, busy);
  }

  async load(): Promise<void> {
    await this.cutovers.load();
    await this.drills.load();
  }

  tick(): void {
    this.cutovers.tick();
    this.drills.tick();
  }

  async stop(): Promise<void> {
    await Promise.all([this.cutovers.stop(), this.drills.stop()]);
  }

  /** Why a rollout of this service or name may not begin; null when nothing stands in the way. */
  conflict(service: string, name: string): Refused | null {
    return this.cutovers.conflict(service, name, false) ?? this.drills.conflict(service, name);
  }

  async applyCutover(
    asked: CutoverPlan,
    around: Parameters<Cutovers["apply"]>[1],
    answering?: (cutover: Cutover) => OperatorAnswer,
  ): Promise<CutoverApplied> {
    const blocked = this.drills.conflict(asked.service, asked.rolloutId);
    return blocked ?? this.cutovers.accepting(asked, () => this.cutovers.apply(asked, around, answering));
  }

  applyDrill(asked: DrillPlan, by: string, answering?: (drill: Drill) => OperatorAnswer): Promise<DrillApplied> {
    return this.drills.apply(asked, by, answering);
  }
}

const noRebuild = () => Promise.reject(noDriver("region", "rebuild", []));

function noFaults(): never {
  throw noDriver("region", "fault", []);
}
