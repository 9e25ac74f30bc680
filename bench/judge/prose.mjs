// The fixed sentences of docs/judge-benchmark.md.

/** @type {readonly string[]} */
export const INTRODUCTION = [
  "Each row is a candidate of which the truth is known; each policy decides over the same law of traffic, second by second",
  "and closed loop: the next second's traffic follows the share the policy asks for. Stable fails 0.5 % of requests and",
  "answers in 400 ms, lognormal with sigma 0.5, unless the row says otherwise; the number after @ is requests a second.",
  "",
  "A cell reads: share of runs that aborted, with its standard error · share that promoted · median (p95) time to the",
  "decision · median of candidate requests until then. What is neither aborted nor promoted holds, for a person or for",
  "4 hours. Time counts from the candidate's first share.",
  "",
  "*healthy*: to stop it is false. *harmful*: to promote it is false. *blind*: nothing is measured, both are false.",
  "*borderline*: at a limit of the policy, either is defensible and no goal is set.",
  "",
  "The peers' rules are built from their documentation (cited in `bench/judge/rules/`), each once as documented and once",
  "tuned to the limits of our policy: success rate at least 99 %, p95 at most 1.25 times stable's (`policies.mjs`). They",
  "get exact quantiles and whole windows, which is more than their queries would give them. Not compared: their webhooks,",
  "load tests, and whatever a person adds.",
];

/** @type {readonly string[]} */
export const SAME_SHARES_NOTE = [
  "The default policy begins at 1 % and so meets harm later by the clock than a tool that begins at 10 or 20 %. Here the",
  "gates of `default` walk each peer's own shares and holds (`LADDERS` in `policies.mjs`), beside the better of its two",
  "variants: share of runs that aborted · median time to it.",
];

/** @type {readonly string[]} */
export const EXPLAINED_NOTE = [
  "Goals: on no row more false verdicts than a peer (beyond 2 standard errors) or than the promised 1 %, and harm found at",
  "least as fast by the median where a peer finds it in half of its runs. Speed may be given up for a reason that the",
  "figures bear out (`goals.mjs`); a missed goal without one, and every false verdict too many, fails the run.",
];
