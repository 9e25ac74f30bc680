import type { HealthMap } from "../core/release/health-map.ts";
import type { ObservedManifest } from "../core/release/manifest.ts";
import type { AccessPlan } from "../core/stage/access-plan.ts";

/** What an endpoint needs and says otherwise than the documented one. */
export interface HealthManner {
  readonly access?: AccessPlan;
  readonly healthMap?: HealthMap;
}

/** Reads the manifest a service states on its health endpoint. Never rejects: unreadable is an answer. */
export interface HealthReader {
  read(healthUrl: string, signal: AbortSignal, manner?: HealthManner): Promise<ObservedManifest>;
}
