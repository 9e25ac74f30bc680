import { assert } from "../../core/assert.ts";
import { defaultPreset } from "./default.ts";
import { demoPreset } from "./demo.ts";
import { llmPreset } from "./llm.ts";
import { PAGE_PRESETS, strictestPreset } from "./page.ts";
import type { Preset, PresetSource } from "./preset.ts";
import { resolvePreset } from "./resolve.ts";

export type { Preset } from "./preset.ts";

/** In this order: a preset may build on those before it. */
const SOURCES: readonly PresetSource[] = [defaultPreset, demoPreset, ...PAGE_PRESETS, strictestPreset, llmPreset];

function resolveAll(): ReadonlyMap<string, Preset> {
  const resolved = new Map<string, Preset>();
  const find = (name: string): Preset => {
    const preset = resolved.get(name);
    assert(preset !== undefined, `preset ${name} stands before those that build on it`);
    return preset;
  };
  for (const source of SOURCES) resolved.set(source.name, resolvePreset(source, find));
  return resolved;
}

/** Every preset a document may use, by name. */
export const PRESETS: Readonly<Record<string, Preset>> = Object.fromEntries(resolveAll());

/**
 * The strictest of several presets, for a document that names them: their tightest gates, and the first one's ladder.
 */
export function strictestPresetOf(names: readonly string[]): Preset {
  const name = `strictest-of[${names.join(", ")}]`;
  const says = `the tightest bound of ${names.join(", ")}`;
  const from = `presets ${names.join(", ")}`;
  return resolvePreset({ name, version: 1, says, from, strictestOf: names, gates: {} }, (base) => {
    const preset = PRESETS[base];
    assert(preset !== undefined, `${base} is a preset`);
    return preset;
  });
}
