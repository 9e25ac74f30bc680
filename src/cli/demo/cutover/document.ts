import { stringify } from "yaml";
import { HANDBOOK, HANDBOOK_GOLD } from "../../handbook.ts";
import { NAMES } from "./indexes.ts";

/** A release on the stage. */
interface Side {
  readonly url: string;
  readonly releaseId: string;
}

export interface CutoverTargets {
  readonly service: string;
  readonly blue: Side;
  readonly green: Side;
  readonly listen: string;
  readonly storeUrl: string;
}

function base({ service, blue, green, listen }: CutoverTargets): object {
  return {
    service,
    stable: { url: blue.url, release: blue.releaseId, cachePrefix: NAMES.cache.blue },
    candidate: { url: green.url, release: green.releaseId, cachePrefix: NAMES.cache.green },
    route: { driver: "gateway", listen, trustedHeaders: ["x-user-id"], stickyBy: [{ header: "x-user-id" }] },
    gates: [{ use: "demo" }],
  };
}

const documentOf = (name: string, spec: object): string =>
  stringify({ apiVersion: "sluice/v1", kind: "Rollout", metadata: { name }, spec });

/**
 * A rollout that moves one user in ten thousand: with its first split the service has a release, and before that nobody
 * may act on its effects.
 */
export function introduction(name: string, targets: CutoverTargets): string {
  const strategy = { canary: { steps: [{ weight: 0.01, hold: "1h" }] } };
  return documentOf(name, { ...base(targets), strategy, onFail: { do: "rollback", to: "stable" } });
}

/** The cutover as a user writes it. Bounds are those of a demo. */
export function cutoverDocument(name: string, targets: CutoverTargets): string {
  const { alias, index, queue, consumer, pointer } = NAMES;
  const url = targets.storeUrl;
  return documentOf(name, {
    ...base(targets),
    probes: { set: HANDBOOK_GOLD, k: 10, repeats: 2, corpus: HANDBOOK },
    index: { driver: "pgvector", url, alias, from: index.blue, to: index.green },
    queue: { driver: "postgres", url, from: queue.blue, to: queue.green, consumers: consumerOf(consumer), pointer },
    cache: { driver: "postgres", url },
    strategy: { blueGreen: { freeze: "40s", hold: "5s", stepWithin: "2s" } },
  });
}

const consumerOf = ({ blue, green }: typeof NAMES.consumer) => ({ from: blue, to: green });
