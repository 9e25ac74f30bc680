import { suggestion } from "../core/did-you-mean.ts";
import { systemClock } from "../node/system-clock.ts";
import type { Embedder } from "../ports/embedder.ts";
import { lexicalJudge } from "../probe/lexical-embedder.ts";
import { openAiEmbedder } from "../probe/openai-embedder.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** Where an OpenAI-compatible endpoint is and the key for it; the key is never written anywhere. */
const URL_VARIABLE = "SLUICE_EMBEDDER_URL";
const KEY_VARIABLE = "SLUICE_EMBEDDER_KEY";

/**
 * The judge a document names: `lexical`, or `openai/MODEL:DIMS` with its address in SLUICE_EMBEDDER_URL. An unknown name
 * is bad usage.
 */
export function embedderNamed(name: string): (texts: readonly string[]) => Embedder {
  if (name === "lexical") return lexicalJudge;
  const [, model, dims] = /^openai\/(.+):([0-9]{1,5})$/.exec(name) ?? [];
  if (model === undefined) {
    throw new CliError(
      EXIT.badUsage,
      `unknown embedder "${name}"; ${suggestion(name, ["lexical", "openai/MODEL:DIMS"])}`,
    );
  }
  const baseUrl = process.env[URL_VARIABLE];
  if (baseUrl === undefined) {
    throw new CliError(EXIT.badUsage, `embedder ${name} needs ${URL_VARIABLE}, e.g. https://host/v1; it is not set`);
  }
  const config = { baseUrl, model, dims: Number(dims), apiKey: process.env[KEY_VARIABLE] ?? null };
  return () => openAiEmbedder(config, { fetch, clock: systemClock() });
}
