import type { Regions } from "../../core/routing/regions.ts";
import type { FaultAgent } from "../../ports/fault-agent.ts";
import type { HealthReader } from "../../ports/health.ts";
import type { RegionProbe } from "../../ports/region-probe.ts";
import type { DocumentLedger } from "../document-ledger.ts";
import type { RegionTraffic } from "../region-traffic.ts";
import type { Resources } from "../resources.ts";
import type { GrantTools } from "./grant.ts";
import type { TrafficTools } from "./traffic.ts";

/** Everything that a drill's orders are carried out with. */
export interface DrillTools extends GrantTools, Pick<TrafficTools, "traffic"> {
  readonly ledger: DocumentLedger;
  readonly health: HealthReader;
  readonly resources: Resources;
  readonly regionTraffic: RegionTraffic;
  /** Null: this controller asks no questions of regions. */
  readonly regionProbe: RegionProbe | null;
  /** Asks with POST that an index is built again. */
  readonly askRebuild: (url: string, signal: AbortSignal) => Promise<void>;
  /** The agent at an address, by which something is broken on purpose. */
  readonly faultAgent: (url: string) => FaultAgent;
  /** What the document in force says of a service's regions; null where it has none. */
  readonly regionsOf: (service: string) => Regions | null;
}
