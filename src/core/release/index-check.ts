import { unmeasured, type Verdict } from "../verdict.ts";
import { NOT_STATED } from "./health-map.ts";
import type { IndexFacts } from "./index-facts.ts";
import type { Manifest } from "./manifest.ts";

/** What an index must be to serve an arm; null: nobody says. */
export interface IndexExpectation {
  readonly indexHash: string | null;
  readonly metric: string | null;
  readonly analyzer: string | null;
  readonly embedSchema: string | null;
}

const GATE = "index";

/** One verdict on one thing of an index; the first arm's name is no matter: samples count the index as one. */
function hard(instance: string, kind: "pass" | "fail", reason: string): Verdict {
  return { ...unmeasured(GATE, "no-data", reason), instance, kind };
}

function unknown(instance: string, kind: "no-data" | "inconclusive", reason: string, needs: string): Verdict {
  return { ...unmeasured(GATE, "no-data", reason, needs), instance, kind };
}

const same = (left: string, right: string) => left.toLowerCase() === right.toLowerCase();

/** The metric or analyzer: the store's own word, the stamp's and what is expected must be one. */
function judgeWord(
  instance: "metric" | "analyzer",
  { name, [instance]: own, stamp }: IndexFacts,
  expected: string | null,
): Verdict {
  const stamped = stamp?.[instance] ?? null;
  if (own !== null && stamped !== null && !same(own, stamped)) {
    return hard(
      instance,
      "fail",
      `${name} works by ${instance} ${own}, and is stamped with ${stamped}; build it again`,
    );
  }
  const found = own ?? stamped;
  if (found === null) {
    const reason = `neither the store nor a stamp says the ${instance} of ${name}`;
    return unknown(instance, "no-data", reason, `a stamp of ${name}`);
  }
  if (expected === null) {
    const reason = `${name} has the ${instance} ${found}, and nothing says which its service expects`;
    return unknown(instance, "no-data", reason, `${instance.toUpperCase()} in the service's health answer`);
  }
  if (same(found, expected))
    return hard(instance, "pass", `${name} has the ${instance} ${found}, as its service expects`);
  const advice = "an equal INDEX_HASH does not make up for it: build the index again for this service";
  return hard(instance, "fail", `${name} has the ${instance} ${found}, its service expects ${expected}; ${advice}`);
}

function judgeHash({ name, stamp }: IndexFacts, expected: string | null): Verdict {
  const instance = "hash";
  if (stamp === null) return unknown(instance, "no-data", `${name} carries no stamp`, `a stamp of ${name}`);
  if (expected === null) {
    const reason = `${name} is stamped with ${stamp.indexHash}, and nothing says which hash it must have`;
    return unknown(
      instance,
      "no-data",
      reason,
      "an indexHash in the plan, or INDEX_HASH in the service's health answer",
    );
  }
  if (stamp.indexHash === expected) return hard(instance, "pass", `${name} is stamped with ${expected}, as expected`);
  return hard(instance, "fail", `${name} is stamped with ${stamp.indexHash}, expected ${expected}; build it again`);
}

function judgeRows({ name, count, stamp, notReady }: IndexFacts): Verdict {
  const instance = "rows";
  if (count === 0) return hard(instance, "fail", `nothing can be found in ${name}: it holds no row`);
  if (notReady !== null)
    return unknown(instance, "inconclusive", `${name} is not ready: ${notReady}`, `${name} is ready`);
  if (stamp === null) return hard(instance, "pass", `${name} is ready with ${count} rows`);
  if (stamp.count === count) return hard(instance, "pass", `${name} is ready with ${count} rows, as it is stamped`);
  const reason = `${count} rows can be found in ${name}, it is stamped with ${stamp.count}; rows were lost, or added since`;
  return hard(instance, "fail", `${reason}; build it again`);
}

function judgeEmbedding({ name, stamp }: IndexFacts, expected: string | null): readonly Verdict[] {
  if (stamp === null || expected === null) return [];
  const isSame = stamp.embedSchema === expected;
  const reason = `${name} is embedded by ${stamp.embedSchema}, its service ${isSame ? "too" : `by ${expected}`}`;
  return [hard("embedding", isSame ? "pass" : "fail", reason)];
}

/**
 * Whether an index is what its arm's service needs: there, ready, whole, and stamped with the right hash. An equal hash
 * is not enough: metric and analyzer are compared by themselves, as the store says them where it can, and with the
 * stamp. What nobody says is no data, and never a pass.
 * @source definitions.md §6
 */
export function judgeIndex(name: string, facts: IndexFacts | null, expected: IndexExpectation): readonly Verdict[] {
  if (facts === null) return [hard("rows", "fail", `there is no index ${name}; build it, or name another one`)];
  return [
    judgeRows(facts),
    judgeHash(facts, expected.indexHash),
    judgeWord("metric", facts, expected.metric),
    judgeWord("analyzer", facts, expected.analyzer),
    ...judgeEmbedding(facts, expected.embedSchema),
  ];
}

const stated = (value: string | undefined) =>
  value === undefined || value === "" || value === NOT_STATED ? null : value;

/**
 * What is expected of an arm's index: what the plan says, else what the arm's service states of itself, else, for
 * metric and analyzer, what the other arm's index has.
 * @param changes fields that differ between the arms by intention, so that the other arm says nothing of them
 */
export function expectationOf(
  planned: string | null,
  manifest: Manifest | null,
  other: IndexFacts | null,
  changes: readonly string[],
): IndexExpectation {
  const of = (field: "METRIC" | "ANALYZER", word: "metric" | "analyzer") =>
    stated(manifest?.[field]) ?? (changes.includes(field) ? null : (other?.[word] ?? other?.stamp?.[word] ?? null));
  return {
    indexHash: planned ?? stated(manifest?.INDEX_HASH),
    metric: of("METRIC", "metric"),
    analyzer: of("ANALYZER", "analyzer"),
    embedSchema: stated(manifest?.EMBED_SCHEMA),
  };
}

/** What the plan and the service itself say of an arm's hash must be one. */
export function judgeClaims(arm: string, planned: string | null, manifest: Manifest | null): readonly Verdict[] {
  const own = stated(manifest?.INDEX_HASH);
  if (planned === null || own === null || planned === own) return [];
  return [hard("claims", "fail", `the plan expects INDEX_HASH ${planned} of ${arm}, whose service states ${own}`)];
}
