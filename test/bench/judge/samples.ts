/** One interval of both arms as a peer's metrics store would hold it. */
export interface Sample {
  readonly endS: number;
  readonly lengthS: number;
  readonly stable: Arm | null;
  readonly candidate: Arm | null;
  readonly coverage: number | null;
}

interface Arm {
  readonly requests: number;
  readonly failures: number;
  readonly latenciesMs: readonly number[];
}

export function anArm(requests: number, failures: number, latenciesMs: readonly number[] = [100]): Arm {
  return { requests, failures, latenciesMs };
}

/** The `index`-th interval (from 1) of `lengthS` seconds: stable without a failure, the candidate as given. */
export function aSample(
  index: number,
  lengthS: number,
  candidate: Arm | null,
  stable: Arm | null = anArm(900, 0),
): Sample {
  return { endS: index * lengthS, lengthS, stable, candidate, coverage: null };
}

/** Feeds samples in order; the state after the last one. */
export function observeAll<State>(
  rule: { observe(state: State, sample: Sample): State },
  start: State,
  samples: readonly Sample[],
): State {
  return samples.reduce((state, sample) => rule.observe(state, sample), start);
}
