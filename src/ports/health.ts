import type { ObservedManifest } from "../core/gate/parity.ts";

/** Reads the manifest a service states on its health endpoint. Never rejects: unreadable is an answer. */
export interface HealthReader {
  read(healthUrl: string, signal: AbortSignal): Promise<ObservedManifest>;
}
