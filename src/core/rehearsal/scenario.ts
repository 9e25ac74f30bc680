import { type ArmModel, steadyArm, type World } from "./world.ts";

/** What a rehearsal takes stable traffic for. */
export interface Baseline {
  readonly requestsPerSecond: number;
  readonly failureRate: number;
  /** Lognormal latency of warm answers. */
  readonly medianMs: number;
  readonly sigma: number;
}

export const USUAL_BASELINE: Baseline = { requestsPerSecond: 100, failureRate: 0.005, medianMs: 60, sigma: 0.5 };

/** A candidate by how it differs from stable, and what ought to become of it. */
export interface Scenario {
  readonly name: string;
  readonly says: string;
  readonly isHarmful: boolean;
  arms(baseline: Baseline): World["arms"];
}

const SERVER_ERROR = "headers|5xx|503";
const HOUR_S = 3_600;

function stableOf({ failureRate, medianMs, sigma }: Baseline): ArmModel {
  return steadyArm({ [SERVER_ERROR]: failureRate }, { medianMs, sigma });
}

/** A candidate like stable except for what `over` says. */
function scenario(
  name: string,
  says: string,
  over: (baseline: Baseline) => Partial<ArmModel>,
  isHarmful = true,
): Scenario {
  return {
    name,
    says,
    isHarmful,
    arms: (baseline) => {
      const stable = stableOf(baseline);
      return { stable, candidate: { ...stable, ...over(baseline) } };
    },
  };
}

function failing(rate: number): (baseline: Baseline) => Partial<ArmModel> {
  return () => ({ failures: () => ({ [SERVER_ERROR]: rate }) });
}

function slower(factor: number): (baseline: Baseline) => Partial<ArmModel> {
  return ({ medianMs, sigma }) => ({ latency: () => ({ medianMs: medianMs * factor, sigma }) });
}

/** Grows from nothing to all of it over an hour, and stays. */
const grown = (atS: number): number => Math.min(1, atS / HOUR_S);

/** Candidates a policy is rehearsed against, by name. @source decision-policy.md "Property tests" */
export const SCENARIOS: readonly Scenario[] = [
  scenario("healthy", "the same laws as stable", () => ({}), false),
  scenario("errors-1", "1 % errors", failing(0.01)),
  scenario("errors-2", "2 % errors", failing(0.02)),
  scenario("errors-5", "5 % errors", failing(0.05)),
  scenario("errors-50", "every second request fails", failing(0.5)),
  scenario("dead", "every request fails", failing(1)),
  scenario("slow-25", "latency +25 %", slower(1.25)),
  scenario("slow-40", "latency +40 %", slower(1.4)),
  scenario("slow-60", "latency +60 %", slower(1.6)),
  scenario("new-class", "1 % of the bodies are cut, which stable never does", ({ failureRate }) => ({
    failures: () => ({ [SERVER_ERROR]: failureRate, "body|network|ECONNRESET": 0.01 }),
  })),
  scenario("error-leak", "errors grow to 5 % over an hour", ({ failureRate }) => ({
    failures: (atS) => ({ [SERVER_ERROR]: failureRate + (0.05 - failureRate) * grown(atS) }),
  })),
  scenario("latency-leak", "latency grows by 60 % over an hour", ({ medianMs, sigma }) => ({
    latency: (atS) => ({ medianMs: medianMs * (1 + 0.6 * grown(atS)), sigma }),
  })),
  scenario(
    "cold-start",
    "10 % cold starts, five times slower; warm answers as on stable",
    () => ({
      cold: () => ({ share: 0.1, factor: 5 }),
    }),
    false,
  ),
  {
    name: "zero-baseline",
    says: "3 % errors where stable has none",
    isHarmful: true,
    arms: (baseline) => ({
      stable: stableOf({ ...baseline, failureRate: 0 }),
      candidate: { ...stableOf(baseline), failures: () => ({ [SERVER_ERROR]: 0.03 }) },
    }),
  },
];
