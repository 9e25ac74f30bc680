import { suggestion } from "../core/did-you-mean.ts";
import { systemClock } from "./system-clock.ts";
import type { Embedder } from "../ports/embedder.ts";
import { InputError } from "../probe/input-error.ts";
import { lexicalJudge } from "../probe/lexical-embedder.ts";
import { openAiEmbedder } from "../probe/openai-embedder.ts";

/** Where an OpenAI-compatible endpoint is and the key for it; the key is never written anywhere. */
const URL_VARIABLE = "SLUICE_EMBEDDER_URL";
const KEY_VARIABLE = "SLUICE_EMBEDDER_KEY";

/**
 * The judge a document names: `lexical`, or `openai/MODEL:DIMS` with its address in SLUICE_EMBEDDER_URL.
 * @throws InputError `judge`: the name is unknown, or the address is not set
 */
export function embedderNamed(name: string): (texts: readonly string[]) => Embedder {
  if (name === "lexical") return lexicalJudge;
  const [, model, dims] = /^openai\/(.+):([0-9]{1,5})$/.exec(name) ?? [];
  if (model === undefined) {
    throw new InputError("judge", `unknown embedder "${name}"; ${suggestion(name, ["lexical", "openai/MODEL:DIMS"])}`);
  }
  const baseUrl = process.env[URL_VARIABLE];
  if (baseUrl === undefined) {
    throw new InputError("judge", `embedder ${name} needs ${URL_VARIABLE}, e.g. https://host/v1; it is not set`);
  }
  const config = { baseUrl, model, dims: Number(dims), apiKey: process.env[KEY_VARIABLE] ?? null };
  return () => openAiEmbedder(config, { fetch, clock: systemClock() });
}
