import { lnSampleRatioMismatch } from "../../stats/count-e-process.ts";
import { lnAverageEValue } from "../../stats/multiple.ts";
import type { StageView } from "../block.ts";
import { defineGate, type TrafficPart } from "../definition.ts";
import { ALPHA, type OptionsOf } from "../fields.ts";
import { trafficVerdict } from "./traffic-verdict.ts";

const NAME = "sample-ratio";

const OPTIONS = { alpha: { ...ALPHA, says: "the promised probability of calling a right split wrong" } };
type Options = OptionsOf<typeof OPTIONS>;

/** Units drawn at one share, as one place counted them. */
interface Drawn {
  readonly candidateBp: number;
  readonly stable: number;
  readonly candidate: number;
}

interface State {
  /** By source: units are distinct only within one. One entry for each share in the order they were served. */
  readonly bySource: Readonly<Record<string, readonly Drawn[]>>;
  /** Requests at a share where users are drawn, before the first user was; absent in states of earlier versions. */
  readonly unnamed?: number;
  /** Those of them that the candidate answered: none through a data plane, where only wishes and pins lead there. */
  readonly unnamedOnCandidate?: number;
}

/** Fewer users than this show no split to be wrong, however they fell; a pass on them is for want of a finding. */
const TELLING_LEAST = 20;

/** What a split of so many users that chance explains comes to. */
export function fittingSplit(units: number): string {
  return units < TELLING_LEAST ? "too few to show a wrong split" : "as ordered";
}

/** Sources beyond this are added to the last one; a fleet larger than that is sampled, not followed. */
const SOURCES_MAX = 64;

function drawnAt(drawn: readonly Drawn[], next: Drawn): readonly Drawn[] {
  const last = drawn[drawn.length - 1];
  if (last?.candidateBp !== next.candidateBp) return [...drawn, next];
  const { candidateBp } = next;
  const merged = { candidateBp, stable: last.stable + next.stable, candidate: last.candidate + next.candidate };
  return [...drawn.slice(0, -1), merged];
}

/** The draws at different shares are of different units, so the evidence of one source multiplies over its shares. */
function lnOfSource(drawn: readonly Drawn[]): number {
  return drawn.reduce((sum, { candidateBp, stable, candidate }) => {
    const share = candidateBp / 10_000;
    return share <= 0 || share >= 1 ? sum : sum + lnSampleRatioMismatch([stable, candidate], [1 - share, share]);
  }, 0);
}

/** Two places may see the same user, so their evidence is averaged, which is valid under any dependence. */
function lnMismatch({ bySource }: State): number {
  return lnAverageEValue(Object.values(bySource).map(lnOfSource));
}

function totals({ bySource }: State): { readonly stable: number; readonly candidate: number } {
  let [stable, candidate] = [0, 0];
  for (const drawn of Object.values(bySource).flat()) {
    if (drawn.candidateBp <= 0 || drawn.candidateBp >= 10_000) continue;
    stable += drawn.stable;
    candidate += drawn.candidate;
  }
  return { stable, candidate };
}

/** Why nobody was drawn: there is no traffic, or none of it says who its user is. */
function undrawn(
  { unnamed = 0, unnamedOnCandidate = 0 }: State,
  { usersNamedBy = [] }: StageView,
): { reason: string; needs: string } {
  const how = usersNamedBy.length === 0 ? "that name their user" : `with ${usersNamedBy.join(" or ")}`;
  const needs = `requests ${how}`;
  if (unnamed === 0) return { reason: "no user has been drawn yet, so the split cannot be checked", needs };
  const lacking = usersNamedBy.length === 0 ? "names its user" : `has ${usersNamedBy.join(" or ")}`;
  const so = unnamedOnCandidate === 0 ? "all of them went to stable" : "the split of users cannot be checked";
  return { reason: `none of ${unnamed} requests ${lacking}, so ${so}`, needs };
}

const traffic: TrafficPart<Options, State> = {
  start: () => ({ bySource: {} }),
  fold(state, { arms, candidateBp, source }): State {
    const next = { candidateBp, stable: arms.stable.newUnits, candidate: arms.candidate.newUnits };
    if (next.stable + next.candidate === 0) {
      const isDrawing = candidateBp > 0 && candidateBp < 10_000;
      const ours = arms.candidate.requestsAll;
      const requests = isDrawing ? arms.stable.requestsAll + ours : 0;
      if (requests === 0) return state;
      const [before, oursBefore] = [state.unnamed ?? 0, state.unnamedOnCandidate ?? 0];
      return { ...state, unnamed: before + requests, unnamedOnCandidate: oursBefore + ours };
    }
    const { bySource } = state;
    const sources = Object.keys(bySource);
    const place = source in bySource || sources.length < SOURCES_MAX ? source : (sources[SOURCES_MAX - 1] ?? source);
    return { ...state, bySource: { ...bySource, [place]: drawnAt(bySource[place] ?? [], next) } };
  },
  isHarmProven: () => false,
  decide(state, stage, { alpha }) {
    const samples = totals(state);
    const base = { gate: NAME, samples, threshold: null, alpha };
    const total = samples.stable + samples.candidate;
    if (total === 0) {
      return trafficVerdict(base, "no-data", { estimate: null, ...undrawn(state, stage) });
    }
    const logE = lnMismatch(state);
    const estimate = samples.candidate / total;
    const found = `${samples.candidate} of ${total} users were drawn to the candidate when they first came (those a higher share moved later were not drawn again)`;
    if (logE >= Math.log(1 / alpha)) {
      const reason = `${found}, which the shares ordered do not explain: the arms are not comparable`;
      const needs = "a data plane that splits as ordered; look for caches, bots and rules before the gateway";
      return trafficVerdict(base, "error", { estimate, logE, reason, needs });
    }
    return trafficVerdict(base, "pass", {
      estimate,
      logE,
      reason: `${found}, ${fittingSplit(total)}`,
    });
  },
};

/**
 * Whether users were split as ordered. A wrong split means that the arms are not comparable, or that the data plane
 * does not do what it was told: nothing is promoted on such data, and nothing rolled back because of it, so the verdict
 * is `error`. Counts distinct users, never requests: a few busy users would look like a mismatch.
 * @source statistics.md "The decision rule" and (a); definitions.md §8 (RT-1)
 */
export const sampleRatio = defineGate({
  name: NAME,
  reads: "traffic",
  counts: "units",
  says: "Were users split between the arms as ordered? Nothing moves on a wrong split.",
  unit: "users by arm",
  from: "gateway",
  options: OPTIONS,
  conditions: {
    sample_ratio: {
      means: "did not get the users it was ordered",
      lookAt: "caches, bots and rules before the gateway",
    },
  },
  mayStop: () => false,
  needs: () => ({ needsSamples: 1, detectable: "a split that the ordered shares do not explain" }),
  traffic,
});
