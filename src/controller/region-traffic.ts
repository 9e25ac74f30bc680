import { regionView, type RegionPlaces } from "../core/routing/regions.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import { mergeBins, type SparseBins } from "../core/window/sketch.ts";
import type { TelemetryWindow } from "../core/window/window.ts";

/** How long what users met is kept, and of how many regions and documents. */
const KEPT_S = 900;
const REGIONS_MAX = 64;
const DOCUMENTS_MAX = 16;

/** What users met who were served by one region. */
export interface RegionCounts {
  readonly requests: number;
  readonly failures: number;
  readonly classes: Readonly<Record<string, number>>;
  /** Latency of warm answers, and of cold starts beside them. */
  readonly warm: SparseBins;
  readonly cold: SparseBins;
}

const NONE: RegionCounts = { requests: 0, failures: 0, classes: {}, warm: [], cold: [] };
/** Region of those who are served where nobody says which region it is. */
const ANYWHERE = "";

/**
 * What users met, by the region that served them and the second in which their window ended. In memory alone: what is
 * not known after a restart is no data, and no data passes nothing.
 */
export class RegionTraffic {
  /** By service, region and second. */
  readonly #counts = new Map<string, Map<string, Map<number, RegionCounts>>>();
  readonly #documents = new Map<string, readonly RoutingDocument[]>();

  /** Documents that were published: windows say under which one they were counted. */
  learn(...documents: readonly RoutingDocument[]): void {
    for (const document of documents) {
      const known = this.#documents.get(document.service) ?? [];
      this.#documents.set(document.service, [document, ...known].slice(0, DOCUMENTS_MAX));
    }
  }

  /** @param region where the data plane stands that counted; null where it says none */
  take(service: string, region: string | null, windows: readonly TelemetryWindow[]): void {
    for (const window of windows) {
      const second = Math.floor(window.endMs / 1_000);
      const places = this.#placesOf(service, region, window);
      for (const arm of ["stable", "candidate"] as const) {
        const { requestsAll, failuresAll, classes, warm, cold } = window.arms[arm];
        if (requestsAll === 0) continue;
        this.#add(service, places[arm] ?? region ?? ANYWHERE, second, {
          requests: requestsAll,
          failures: failuresAll,
          classes,
          warm,
          cold,
        });
      }
    }
  }

  /** Everything that a region served from one time to another; of all regions where none is named. */
  between(service: string, region: string | null, fromMs: number, toMs: number): RegionCounts {
    const regions = this.#counts.get(service) ?? new Map<string, Map<number, RegionCounts>>();
    let sum = NONE;
    for (const [name, seconds] of regions) {
      if (region !== null && name !== region) continue;
      for (const [second, counts] of seconds) {
        if (second * 1_000 >= fromMs && second * 1_000 < toMs) sum = added(sum, counts);
      }
    }
    return sum;
  }

  /** Regions that served anybody lately. */
  regions(service: string): readonly string[] {
    return [...(this.#counts.get(service)?.keys() ?? [])];
  }

  #placesOf(service: string, region: string | null, { document }: TelemetryWindow): RegionPlaces {
    const known = this.#documents.get(service)?.find(({ epoch, seq }) => {
      return epoch === document.epoch && seq === document.seq;
    });
    return known === undefined ? { stable: null, candidate: null } : regionView(known, region).places;
  }

  #add(service: string, region: string, second: number, counts: RegionCounts): void {
    const regions = this.#counts.get(service) ?? new Map<string, Map<number, RegionCounts>>();
    this.#counts.set(service, regions);
    if (!regions.has(region) && regions.size >= REGIONS_MAX) return;
    const seconds = regions.get(region) ?? new Map<number, RegionCounts>();
    regions.set(region, seconds.set(second, added(seconds.get(second) ?? NONE, counts)));
    for (const old of seconds.keys()) {
      if (old >= second - KEPT_S) break;
      seconds.delete(old);
    }
  }
}

function added(left: RegionCounts, right: RegionCounts): RegionCounts {
  const classes: Record<string, number> = { ...left.classes };
  for (const [name, count] of Object.entries(right.classes)) classes[name] = (classes[name] ?? 0) + count;
  return {
    requests: left.requests + right.requests,
    failures: left.failures + right.failures,
    classes,
    warm: mergeBins(left.warm, right.warm),
    cold: mergeBins(left.cold, right.cold),
  };
}
