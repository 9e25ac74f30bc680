import type { StopCondition } from "./stop-condition.ts";

/** What a stop means for the person who is woken by it, and where to look first. */
interface Advice {
  /** What is wrong, in plain words; completes "The candidate …". */
  readonly means: string;
  /** The first thing to do after traffic is back. */
  readonly lookAt: string;
}

const RETRIEVAL = "the index: was it built from the same corpus, with the same chunking, analyzer and metric?";
const PROMPT = "the prompt and the model version: what changed in how an answer is written?";
const LATENCY = "where the time goes (retrieve, rerank, generate, body), then memory and concurrency of the instances";

/**
 * Cause to action, for every stop condition.
 * @source requirements.md RB-10, RB-6, IX-15, DS-6, SE-8, SL-7, ST-13
 */
const ADVICE: { readonly [condition in StopCondition]: Advice } = {
  delta_s_block: { means: "retrieves text that is further from the questions than it may be", lookAt: RETRIEVAL },
  delta_s_p95_drift: {
    means: "answers its worst questions from text further away than stable does",
    lookAt: RETRIEVAL,
  },
  coverage_low: { means: "no longer finds enough of the sections that hold the answers", lookAt: RETRIEVAL },
  coverage_topic_low: { means: "has lost a topic", lookAt: `${RETRIEVAL} Start with the sections of that topic.` },
  lambda_flip: { means: "answers one question differently when it is worded differently", lookAt: PROMPT },
  flip_rate: { means: "changes its answers with the wording of the question", lookAt: PROMPT },
  schema_violation: {
    means: "breaks the response contract",
    lookAt: "the response schema and the tool contracts of the new release",
  },
  p95_warm: { means: "answers more slowly than stable in the same seconds", lookAt: LATENCY },
  p95_equal_load: { means: "answers more slowly than stable at the same load", lookAt: LATENCY },
  new_5xx_class: {
    means: "fails in a way stable never does",
    lookAt: "the logs of that status, first calls and secrets first",
  },
  new_error_class: {
    means: "fails in a way stable never does",
    lookAt: "the logs of that error; a body cut short points at memory or stream size",
  },
  five_xx_abs: { means: "answers too many requests with 5xx", lookAt: "its error log, boot order and secrets" },
  five_xx_delta: {
    means: "answers more requests with 5xx than stable",
    lookAt: "its error log, boot order and secrets",
  },
  five_xx_burst: {
    means: "had a burst of 5xx answers that lasted too long",
    lookAt: "what happened in those seconds: a deploy, a region, a dependency",
  },
  error_rate_abs: { means: "fails too many requests", lookAt: "its error log, boot order and secrets" },
  error_rate_rel: {
    means: "fails more requests than stable in the same seconds",
    lookAt: "its error log, boot order and secrets",
  },
  cold_share: {
    means: "starts cold too often",
    lookAt: "minimum instances and provisioned concurrency, before the share grows",
  },
  queue_age_slope: {
    means: "lets its queue grow older",
    lookAt: "consumers per partition and what each job costs now",
  },
  dedupe_miss: { means: "lets repeated deliveries through", lookAt: "the idempotency keys of the write paths" },
  duplicate_effect: {
    means: "applied an effect twice",
    lookAt: "the effect key and the fence of that path; reconcile the receipts",
  },
  index_mismatch: {
    means: "is not the release it was pinned as",
    lookAt: "what its health endpoint states now, and in every region",
  },
  cache_collision: {
    means: "shares cache entries with stable",
    lookAt: "the cache prefixes of both arms; purge the candidate's",
  },
  cache_hit_drop: {
    means: "finds less in its cache than stable",
    lookAt: "warm-up of its namespace and what its keys contain",
  },
  tool_loop: {
    means: "calls the same tool again and again",
    lookAt: "the tool's schema and its timeouts; freeze both",
  },
  sticky_violation: {
    means: "got users who belong to the other arm",
    lookAt: "what routes before the gateway; pin by cookie or header",
  },
  write_loss: { means: "lost writes it had accepted", lookAt: "the outbox and its dead letters; replay them" },
  ttr_exceeded: { means: "could not be taken back in time", lookAt: "the gateways that did not confirm" },
  sample_ratio: { means: "did not get the users it was ordered", lookAt: "caches, bots and rules before the gateway" },
  metric: { means: "moved a metric beyond its limit", lookAt: "that metric, around the time of the verdict" },
  custom: { means: "broke a rule of this rollout", lookAt: "the rule and the numbers it reads" },
  peak_hour: { means: "has not been through a peak hour", lookAt: "when the next peak is" },
};

/** What a stop condition means and where to look first. */
export function adviceFor(condition: StopCondition): Advice {
  return ADVICE[condition];
}
