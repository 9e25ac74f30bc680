import { type ByShare, isByShare, type Tightening } from "../../core/judge/fields.ts";
import { GATE_NAMES, GATES, type GateOptions } from "../../core/judge/gates.ts";
import { bp } from "../../core/unit.ts";
import type { GateRanges, Preset } from "./preset.ts";

function stricter(values: readonly unknown[], way: Tightening): unknown {
  if (way === "first") return values[0];
  if (typeof way !== "string") return way[Math.max(...values.map((value) => way.indexOf(String(value))))];
  const bounds = values.filter((value): value is number => typeof value === "number");
  if (bounds.length === 0) return null;
  return way === "lower" ? Math.min(...bounds) : Math.max(...bounds);
}

function strictestOption(values: readonly unknown[], way: Tightening): unknown {
  if (!values.every(isByShare)) return stricter(values, way);
  const at = (key: keyof ByShare) =>
    stricter(
      values.map((value) => value[key]),
      way,
    );
  return { under10: at("under10"), under50: at("under50"), from50: at("from50") };
}

/** Every gate that any of the presets has, each option at its tightest. */
export function strictestGates(presets: readonly Preset[]): Partial<GateOptions> {
  const entries = GATES.flatMap(({ name, options, optionsOf }) => {
    const all = presets.flatMap(({ gates }): readonly Readonly<Record<string, unknown>>[] => {
      const given = gates[name];
      return given === undefined ? [] : [{ ...given }];
    });
    if (all.length === 0) return [];
    const strictest = Object.entries(options).map(([option, { stricter: way }]) => {
      return [
        option,
        strictestOption(
          all.map((one) => one[option]),
          way,
        ),
      ] as const;
    });
    return [[name, optionsOf(Object.fromEntries(strictest))] as const];
  });
  return Object.fromEntries(entries);
}

/** A gate is asked wherever one of the presets that have it asks it. */
export function strictestRanges(presets: readonly Preset[]): GateRanges {
  const entries = GATE_NAMES.flatMap((name) => {
    const having = presets.filter(({ gates }) => name in gates);
    const ranges = having.map(({ within }) => within[name]);
    if (ranges.length === 0 || ranges.includes(undefined)) return [];
    const fromBp = bp(Math.min(...ranges.map((range) => range?.fromBp ?? 0)));
    const toBp = bp(Math.max(...ranges.map((range) => range?.toBp ?? 10_000)));
    return [[name, { fromBp, toBp }] as const];
  });
  return Object.fromEntries(entries);
}
