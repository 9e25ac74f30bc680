import { defaultPreset } from "./default.ts";
import { demoPreset } from "./demo.ts";
import type { Preset } from "./preset.ts";

export type { Preset } from "./preset.ts";

/** Every preset a document may use, by name. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  default: defaultPreset,
  demo: demoPreset,
};
