import type { ObservedManifest } from "../core/release/manifest.ts";

/** Reads the manifest a service states on its health endpoint. Never rejects: unreadable is an answer. */
export interface HealthReader {
  read(healthUrl: string, signal: AbortSignal): Promise<ObservedManifest>;
}
