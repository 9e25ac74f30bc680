import { unitEventGate } from "./unit-event-gate.ts";

const SAID = "`x-sluice-event` of the service";

/** @source requirements.md X-11; statistics.md (a), refusals as counted events */
export const refusals = unitEventGate({
  gate: "refusals",
  condition: "refusals",
  signal: "refusalRate",
  what: "refusals",
  among: "answers",
  from: SAID,
  eventField: "answer",
  advice: { means: "refuses more of what users ask", lookAt: "the prompt's rules and the content filter of its model" },
});

export const emptyAnswers = unitEventGate({
  gate: "empty-answers",
  condition: "empty_answers",
  signal: "emptyRate",
  what: "empty answers",
  among: "answers",
  from: "gateway, or `x-sluice-event` of the service",
  eventField: "answer",
  advice: { means: "answers with nothing", lookAt: "how it reads the model's reply: stop words, tool calls, parsing" },
});

export const truncations = unitEventGate({
  gate: "truncations",
  condition: "truncations",
  signal: "truncationRate",
  what: "truncated answers",
  among: "answers",
  from: SAID,
  eventField: "answer",
  advice: {
    means: "cuts more answers short",
    lookAt: "its limit of output tokens and how long its prompt lets it talk",
  },
});

export const thumbsDown = unitEventGate({
  gate: "thumbs-down",
  condition: "thumbs_down",
  signal: "thumbsDownRate",
  what: "thumbs-down",
  among: "requests",
  from: SAID,
  eventField: "feedback",
  advice: {
    means: "is liked less by its users",
    lookAt: "the answers they turned down, beside stable's to the same question",
  },
});

export const regenerations = unitEventGate({
  gate: "regenerations",
  condition: "regenerations",
  signal: "regenerationRate",
  what: "regenerated answers",
  among: "requests",
  from: SAID,
  eventField: "feedback",
  advice: {
    means: "makes users ask again for the same",
    lookAt: "the answers they had anew, first drafts beside second ones",
  },
});

export const abandonedStreams = unitEventGate({
  gate: "abandoned-streams",
  condition: "abandoned_streams",
  signal: "abandonedRate",
  what: "abandoned streams",
  among: "streams",
  from: "gateway",
  eventField: "stream",
  advice: {
    means: "loses users in the middle of an answer",
    lookAt: "pauses between pieces, and how long its answers have become",
  },
});
