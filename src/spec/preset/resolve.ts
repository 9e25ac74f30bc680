import { assert } from "../../core/assert.ts";
import { GATES, type GateOptions } from "../../core/judge/gates.ts";
import type { GateChanges, Preset, PresetSource } from "./preset.ts";
import { strictestGates, strictestRanges } from "./strictest.ts";

/** The changes on top of the gates below them; a gate that is new there starts from the defaults of its kind. */
function withChanges(base: Partial<GateOptions>, changes: GateChanges): Partial<GateOptions> {
  return Object.fromEntries(
    GATES.filter(({ name }) => name in base || name in changes).map(({ name, defaults, optionsOf }) => [
      name,
      optionsOf({ ...(base[name] ?? defaults), ...changes[name] }),
    ]),
  );
}

/** A preset with its base resolved. `find` answers the presets it may name. Throws on a name that is not there. */
export function resolvePreset(source: PresetSource, find: (name: string) => Preset): Preset {
  const { name, version, says, from } = source;
  const bases = [...(source.extends === undefined ? [] : [source.extends]), ...(source.strictestOf ?? [])].map(find);
  const base = source.strictestOf === undefined ? (bases[0]?.gates ?? {}) : strictestGates(bases);
  const ranges = source.strictestOf === undefined ? (bases[0]?.within ?? {}) : strictestRanges(bases);
  const stages = source.stages ?? bases[0]?.stages;
  const pace = source.stages === undefined ? bases[0]?.pace : source.pace;
  assert(stages !== undefined, `preset ${name} has a ladder or a base that has one`);
  return {
    name,
    version,
    says,
    from,
    isAddOn: source.isAddOn ?? false,
    gates: withChanges(base, source.gates),
    within: { ...ranges, ...source.within },
    stages,
    ...(pace === undefined ? {} : { pace }),
    onFail: source.onFail ?? bases[0]?.onFail ?? "stable",
  };
}
