import type { ArmReport, LambdaState } from "../measure/report.ts";
import type { Manifest } from "../release/manifest.ts";
import type { ShapeReader } from "./shape.ts";

/**
 * What is known of an arm beside where it is served, for the events and metrics of its data planes: its identity, and
 * what its last probe run said. Each is absent until it is known. @source definitions.md §5, §10
 */
export interface ArmFacts {
  readonly revision?: string;
  readonly indexHash?: string;
  readonly metric?: string;
  readonly analyzer?: string;
  /** Median over the gold questions. */
  readonly deltaS?: number;
  /** Mean over the gold questions. */
  readonly coverage?: number;
  /** State of most gold questions; of several the worst one (a `LambdaState`, or a later version's). */
  readonly lambdaState?: string;
}

/** From the best to the worst. */
const STATES = ["→", "=", "<>", "←", "×"] as const satisfies readonly LambdaState[];
const FACTS = { revision: 0, indexHash: 0, metric: 0, analyzer: 0, deltaS: 1, coverage: 1, lambdaState: 0 } as const;
const TEXT_MAX = 200;
const LONE_SURROGATE = /\p{Surrogate}/u;
/** A cosine distance is at most 2; the calibrated scale may pass it by far without meaning anything more. */
const DELTA_S_MAX = 100;

/** Facts of one arm; null parts are not known (yet). */
export function armFacts(manifest: Manifest | null, probes: ArmReport | null): ArmFacts {
  const identity = manifest === null ? {} : identityFacts(manifest);
  if (probes === null) return identity;
  const { deltaS, coverage, lambda } = probes;
  const known = STATES.filter((state) => lambda.states[state] > 0);
  const most = Math.max(0, ...known.map((state) => lambda.states[state]));
  const state = known.findLast((one) => lambda.states[one] === most);
  const numbers = { deltaS: Math.min(DELTA_S_MAX, Math.max(0, deltaS.median)), coverage: coverage.estimate };
  return { ...identity, ...numbers, ...(state === undefined ? {} : { lambdaState: state }) };
}

/** Only what a data plane would take: a label must never have a document refused. */
function identityFacts({ revision, BUILD_TS, INDEX_HASH, METRIC, ANALYZER }: Manifest): ArmFacts {
  const texts = { revision: revision || BUILD_TS, indexHash: INDEX_HASH, metric: METRIC, analyzer: ANALYZER };
  const kept = Object.entries(texts).map(([name, text]) => [name, text.slice(0, TEXT_MAX)] as const);
  return Object.fromEntries(kept.filter(([, text]) => text !== "" && !LONE_SURROGATE.test(text)));
}

/** Reads facts of a document that arrived; what is wrong goes to `shape`. */
export function readFacts(shape: ShapeReader, json: unknown, path: string): ArmFacts {
  const fields: Readonly<Record<string, unknown>> = shape.object(json, path, [], Object.keys(FACTS)) ?? {};
  const known = Object.entries(FACTS).filter(([name]) => Object.hasOwn(fields, name));
  return Object.fromEntries(
    known.map(([name, isNumber]) => {
      const [value, at] = [fields[name], `${path}.${name}`];
      return [name, isNumber === 1 ? shape.time(value, at) : shape.text(value, at, TEXT_MAX)];
    }),
  );
}
