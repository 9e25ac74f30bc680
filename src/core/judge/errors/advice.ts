import type { Advice } from "../definition.ts";

/** @source requirements.md SE-8 */
export const FIRST_CALLS = "first calls that fail point at boot order, secrets parity and version skew";
const ERROR_LOG = `its error log; ${FIRST_CALLS}`;

/** What failed requests mean, for every gate that counts them. @source requirements.md RB-10, SE-8 */
export const FAILS_REQUESTS: Advice = {
  means: "fails more requests than stable in the same seconds",
  lookAt: ERROR_LOG,
};
export const FAILS_PROBES: Advice = {
  means: "fails probes that stable answers",
  lookAt: `its error log at the time of the probes; ${FIRST_CALLS}`,
};
export const FAILS_TOO_MANY: Advice = { means: "fails too many requests", lookAt: ERROR_LOG };
export const ANSWERS_5XX: Advice = { means: "answers too many requests with 5xx", lookAt: ERROR_LOG };
export const ANSWERS_MORE_5XX: Advice = { means: "answers more requests with 5xx than stable", lookAt: ERROR_LOG };
