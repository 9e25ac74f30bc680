import type { HarmBounds, PaceLadder, PacePlan } from "../core/stage/pace.ts";
import { bp } from "../core/unit.ts";
import type { RolloutDocument } from "./rollout-schema.ts";

type Strategy = NonNullable<RolloutDocument["spec"]["strategy"]>;

/** What a document may say about a pace; durations in ms, shares in percent. */
export type PaceDocument = Exclude<Strategy["pace"], undefined | "evidence">;

const MINUTE_MS = 60_000;

/**
 * Bounds that let the first share of a service with 10 requests a second be 10 %, and of one with 1 000 be 0.2 %.
 * @source bench/judge/pace.mjs
 */
const HARM: HarmBounds = { dead: 7, fourfoldErrors: 50, slower40: 2_000 };

/** The bounds of growth, with their defaults. */
export function growthOf({ fastest = 5, slowest = 1.4 }: PaceDocument): {
  readonly fastest: number;
  readonly slowest: number;
} {
  return { fastest, slowest };
}

/** What is chosen from: the bounds on harm, and the stages. Everything a document leaves open has its default. */
export function planPace(document: PaceDocument = {}): { readonly pace: PacePlan; readonly ladder: PaceLadder } {
  const { fastest, slowest } = growthOf(document);
  const { harm = {}, last = 50 } = document;
  const { soak = 60 * MINUTE_MS, cap = 8 * 60 * MINUTE_MS, watch = 60 * MINUTE_MS } = document;
  const bounds: HarmBounds = {
    dead: harm.dead ?? HARM.dead,
    fourfoldErrors: harm.errors4x ?? HARM.fourfoldErrors,
    slower40: harm.slower40 ?? HARM.slower40,
  };
  const lastBp = bp(Math.round(last * 100));
  return { pace: { harm: bounds, fastest }, ladder: { slowest, lastBp, soakMs: soak, capMs: cap, watchMs: watch } };
}
