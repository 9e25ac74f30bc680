import { defaultPreset } from "./default.ts";
import type { PresetSource } from "./preset.ts";

/**
 * What teams pay for the answers of a language model and hear of them, beside what is broken: each of it holds and
 * asks, none of it stops by itself, and what nobody tells takes no part. It only adds gates to those of another preset.
 * @source requirements.md: cost and latency are soft
 */
export const llmPreset: PresetSource = {
  name: "llm",
  version: 1,
  isAddOn: true,
  says: "adds what answers of a language model cost and how users take them, held and asked about, never stopped",
  from: "preset default's proofs for signals of answers, with the margins of its gates' kinds",
  gates: {
    refusals: {},
    "empty-answers": {},
    truncations: {},
    "abandoned-streams": {},
    "thumbs-down": {},
    regenerations: {},
    "first-token": {},
    "cost-per-answer": {},
    "input-tokens": {},
    "output-tokens": {},
  },
  ...(defaultPreset.stages === undefined ? {} : { stages: defaultPreset.stages }),
  ...(defaultPreset.pace === undefined ? {} : { pace: defaultPreset.pace }),
};
