import type { ByShare, GateName, GateOptions } from "../../core/gate/options.ts";
import { GATE_NAMES } from "../../core/gate/order.ts";
import { bp } from "../../core/unit.ts";
import type { GateRanges, Preset } from "./preset.ts";

/**
 * Which way an option gets stricter. `lower` and `higher` are bounds (null is no bound at all); a list runs from loose to
 * strict; `first` is no bound: the first preset's choice stands.
 */
type Tightening = "lower" | "higher" | "first" | readonly string[];

const LIMIT = { promote: "lower", stop: "lower", minSamples: "higher", onNoData: ["skip", "hold"] } as const;
const EVENT = { max: "lower", onNoData: ["skip", "hold"] } as const;
const P95 = { harmRatio: "lower", margin: "lower", minSamples: "higher", swingMs: "lower" } as const;

const TIGHTENING: { readonly [name in GateName]: { readonly [option in keyof GateOptions[name]]?: Tightening } } = {
  "schema-violation": { maxShare: "lower" },
  parity: {},
  "sample-ratio": {},
  "duplicate-effect": EVENT,
  "write-loss": EVENT,
  "sticky-violation": EVENT,
  "cache-collision": EVENT,
  "error-rate": { margin: "lower", minSamples: "higher" },
  "error-rate-abs": LIMIT,
  "error-rate-rel": LIMIT,
  "five-xx-abs": LIMIT,
  "five-xx-delta": LIMIT,
  "five-xx-burst": { limit: "lower", longestMs: "lower" },
  "new-error-class": {},
  "tool-loop": EVENT,
  "p95-warm": P95,
  "p95-equal-load": P95,
  "cold-share": LIMIT,
  "queue-age-slope": { promote: "lower", windows: "lower", onNoData: ["skip", "hold"] },
  "dedupe-miss": LIMIT,
  "cache-hit-drop": LIMIT,
  coverage: {
    level: "higher",
    stop: "higher",
    dropMargin: "lower",
    dropStop: "lower",
    topicLevel: "higher",
    topicFloor: "higher",
  },
  "delta-s": { limit: "lower", stop: "lower", driftMargin: "lower", driftStop: "lower", p95DriftStop: "lower" },
  lambda: {
    level: ["paired", "loose", "strict"],
    margin: "lower",
    increaseStop: "lower",
    flipRateStop: "lower",
    maxFlipsPerQuestion: "lower",
  },
  metric: {},
  custom: {},
  "peak-hour": { lengthMs: "higher" },
};

function stricter(values: readonly unknown[], way: Tightening): unknown {
  if (way === "first") return values[0];
  if (typeof way !== "string") return way[Math.max(...values.map((value) => way.indexOf(String(value))))];
  const bounds = values.filter((value): value is number => typeof value === "number");
  if (bounds.length === 0) return null;
  return way === "lower" ? Math.min(...bounds) : Math.max(...bounds);
}

function isByShare(value: unknown): value is ByShare {
  return typeof value === "object" && value !== null && "under10" in value;
}

function strictestOption(values: readonly unknown[], way: Tightening): unknown {
  if (!values.every(isByShare)) return stricter(values, way);
  const at = (key: keyof ByShare) =>
    stricter(
      values.map((value) => (value as ByShare)[key]),
      way,
    );
  return { under10: at("under10"), under50: at("under50"), from50: at("from50") };
}

/** Every gate that any of the presets has, each option at its tightest. */
export function strictestGates(presets: readonly Preset[]): Partial<GateOptions> {
  const names = (GATE_NAMES as readonly GateName[]).filter((name) => presets.some(({ gates }) => name in gates));
  const entries = names.map((name) => {
    const all = presets.flatMap(({ gates }) => (gates[name] === undefined ? [] : [gates[name] as object]));
    const ways = TIGHTENING[name] as Readonly<Record<string, Tightening>>;
    const options = Object.keys(all[0] ?? {}).map((key) => {
      const values = all.map((one) => (one as Readonly<Record<string, unknown>>)[key]);
      return [key, strictestOption(values, ways[key] ?? "first")] as const;
    });
    return [name, Object.fromEntries(options)] as const;
  });
  return Object.fromEntries(entries) as Partial<GateOptions>;
}

/** A gate is asked wherever one of the presets that have it asks it. */
export function strictestRanges(presets: readonly Preset[]): GateRanges {
  const entries = (GATE_NAMES as readonly GateName[]).flatMap((name) => {
    const having = presets.filter(({ gates }) => name in gates);
    const ranges = having.map(({ within }) => within[name]);
    if (ranges.length === 0 || ranges.includes(undefined)) return [];
    const fromBp = bp(Math.min(...ranges.map((range) => range?.fromBp ?? 0)));
    const toBp = bp(Math.max(...ranges.map((range) => range?.toBp ?? 10_000)));
    return [[name, { fromBp, toBp }] as const];
  });
  return Object.fromEntries(entries);
}
