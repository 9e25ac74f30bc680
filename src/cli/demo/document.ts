import { stringify } from "yaml";
import type { Scenario } from "./scenario.ts";

export interface DemoTargets {
  readonly rollout: string;
  readonly service: string;
  readonly stableUrl: string;
  readonly candidateUrl: string;
  readonly listen: string;
  readonly goldPath: string;
  readonly corpusPath: string;
  /** 1 for the demo's own rate of requests. */
  readonly slowness: number;
}

const PROBES = { probes: true };

/** The steps a story is told in, with caps that leave a slow machine the time its evidence takes. */
function stepsOf({ order }: Scenario, slowness: number): readonly object[] {
  const cap = `${Math.ceil(60 * slowness)}s`;
  const [tenth, half] = [
    { weight: 10, hold: "12s", cap },
    { weight: 50, hold: "8s", cap },
  ];
  return order === "users-first" ? [tenth, PROBES, half] : [PROBES, tenth, half];
}

/**
 * The rollout document of a demo rollout: the same kind of file a user writes, so that the demo has no private door.
 * Without steps the preset's own ladder is in force, which is made for the demo's own rate of requests.
 */
export function demoDocument(targets: DemoTargets, scenario: Scenario): string {
  const { slowness } = targets;
  const isPlain = scenario.order === "probes-first" && slowness === 1;
  const strategy = isPlain ? {} : { strategy: { canary: { steps: stepsOf(scenario, slowness), watch: "5s" } } };
  return stringify({
    apiVersion: "sluice/v1",
    kind: "Rollout",
    metadata: { name: targets.rollout },
    spec: {
      service: targets.service,
      stable: { url: targets.stableUrl },
      candidate: { url: targets.candidateUrl },
      changes: [],
      route: {
        driver: "gateway",
        listen: targets.listen,
        trustedHeaders: ["x-user-id"],
        stickyBy: [{ header: "x-user-id" }],
      },
      probes: { set: targets.goldPath, k: 10, repeats: 2, corpus: targets.corpusPath },
      ...strategy,
      gates: [{ use: "demo" }],
      onFail: { do: "rollback", to: "stable" },
    },
  });
}
