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
}

const USERS_FIRST = [{ weight: 10, hold: "12s", cap: "60s" }, { probes: true }, { weight: 50, hold: "8s", cap: "60s" }];

/**
 * The rollout document of a demo rollout: the same kind of file a user writes, so that the demo has no private door.
 * Without steps the preset's own ladder is in force.
 */
export function demoDocument(targets: DemoTargets, scenario: Scenario): string {
  const strategy =
    scenario.order === "users-first" ? { strategy: { canary: { steps: USERS_FIRST, watch: "5s" } } } : {};
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
