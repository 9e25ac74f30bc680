import { amountGate } from "./amount-gate.ts";

const SAID = "`x-sluice-event` of the service";
const RATIO_OF_MEANS = "ratio to stable's mean over users";

/** Limits as loose as those of latency: tokens are paid for and waited for. */
const LIKE_LATENCY = { harmRatio: 1.1, margin: { under10: 1.5, under50: 1.25, from50: 1.25 } };

export const inputTokens = amountGate({
  gate: "input-tokens",
  condition: "input_tokens",
  signal: "tokensIn",
  what: "input tokens an answer",
  unit: RATIO_OF_MEANS,
  from: SAID,
  limits: LIKE_LATENCY,
  eventField: "usage",
  advice: {
    means: "puts more tokens into its prompts",
    lookAt: "how many sections, turns and examples its prompt carries",
  },
});

export const outputTokens = amountGate({
  gate: "output-tokens",
  condition: "output_tokens",
  signal: "tokensOut",
  what: "output tokens an answer",
  unit: RATIO_OF_MEANS,
  from: SAID,
  limits: LIKE_LATENCY,
  eventField: "usage",
  advice: { means: "writes longer answers", lookAt: "the prompt's word on length, hidden reasoning and its budget" },
});

/** @source requirements.md X-10: cost at most +10 % unless quality gains, which a person weighs */
export const costPerAnswer = amountGate({
  gate: "cost-per-answer",
  condition: "cost_per_answer",
  signal: "costPerAnswer",
  what: "cost an answer",
  unit: RATIO_OF_MEANS,
  from: SAID,
  limits: { harmRatio: 1.1, margin: { under10: 1.5, under50: 1.25, from50: 1.1 } },
  eventField: "usage",
  advice: {
    means: "costs more for each answer",
    lookAt: "tokens in and out, the model's price, cached prompts and retries",
  },
});

export const firstToken = amountGate({
  gate: "first-token",
  condition: "first_token",
  signal: "firstTokenMs",
  what: "ms to first token",
  unit: RATIO_OF_MEANS,
  from: "gateway, of streams",
  limits: LIKE_LATENCY,
  eventField: "stream",
  advice: {
    means: "lets users wait longer for the first word",
    lookAt: "retrieval, prompt length, queueing at the model's provider",
  },
});
