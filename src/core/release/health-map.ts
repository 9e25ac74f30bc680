import type { Manifest, ManifestField } from "./manifest.ts";

/** Where a value of a health answer is: at a JSON pointer, or the same for every answer. */
export type HealthReading = { readonly pointer: string } | { readonly value: string };

/** How a health answer of another shape is read. Fields that are not named are not stated, so they are not compared. */
export interface HealthMap {
  /** Null: an answer with status 200 is ready. `is` absent: the value must be `true`. */
  readonly ready: { readonly pointer: string; readonly is?: string | number | boolean } | null;
  readonly fields: Readonly<Partial<Record<Exclude<ManifestField, "SCHEMA_REV"> | "revision", HealthReading>>>;
  /** One reading for both ends where the service states a single revision. */
  readonly schemaRev: { readonly min: HealthReading; readonly max: HealthReading } | null;
}

/** A manifest for those who show it: what the service does not state is empty. */
export function statedOnly(manifest: Manifest): Manifest {
  const stated = Object.entries(manifest).map(([field, value]) => [field, value === NOT_STATED ? "" : value] as const);
  return { ...manifest, ...Object.fromEntries(stated) };
}

/** What stands for a field the service does not state. */
export const NOT_STATED = "-";
