import { SERVING_ARMS } from "../core/arm.ts";
import { suggestion } from "../core/did-you-mean.ts";
import { isProbeGate } from "../core/judge/gates.ts";
import type { Problem } from "../core/problem.ts";
import { isOwnAddress } from "./check-addresses.ts";
import { gatesOfChange } from "./preset/change-type.ts";
import { checkMetricSource } from "./check-metric-source.ts";
import type { KnownDrivers } from "./known-drivers.ts";
import { normalUrl } from "./normal-url.ts";
import { type RolloutDocument, stableDocument } from "./rollout-schema.ts";
import type { Report } from "./report.ts";
import { type Path, pathText, type Source } from "./source.ts";
import { checkCutover } from "./cutover-document.ts";
import { checkGates, gateOf, isTold } from "./check-gates.ts";
import { checkShadow } from "./shadow-document.ts";
import { checkSteps, checkStrategy } from "./check-strategy.ts";
import { checkIdentity, checkSegments, checkStickyFor } from "./check-users.ts";

/** Rules between the fields of a document that is well formed: what each value may be is the schema's business. */
export function checkRollout(document: RolloutDocument, source: Source, drivers: KnownDrivers): readonly Problem[] {
  const problem = (path: Path, code: string, message: string, fix?: string): Problem => ({
    code,
    path: pathText(path),
    at: source.locate(path),
    message,
    ...(fix === undefined ? {} : { fix }),
  });
  return [
    ...checkArms(document, problem),
    ...checkIdentity(document, problem),
    ...checkStickyFor(document, problem),
    ...checkSegments(document, problem),
    ...checkShadow(document, problem),
    ...checkStrategy(document, problem),
    ...checkSteps(document, problem),
    ...checkCutover(document, drivers, problem),
    ...checkGates(document, source, problem),
    ...checkMetrics(document, drivers, problem),
    ...checkChangeTypes(document, problem),
    ...checkListen(document, problem),
  ];
}

/** A gateway on an arm's own address would send that arm's requests to itself. */
function checkListen(document: RolloutDocument, problem: Report): readonly Problem[] {
  const { route, candidate } = document.spec;
  const { listen } = route;
  const arms = { stable: stableDocument(document), candidate };
  return SERVING_ARMS.flatMap((arm) => {
    const url = arms[arm]?.url;
    if (listen === undefined || url === undefined || !isOwnAddress(listen, url)) return [];
    const message = `the gateway would listen on ${listen}, where ${arm} itself is (${url})`;
    return [problem(["spec", "route", "listen"], "E130", message, "give the gateway a port of its own")];
  });
}

function checkArms(document: RolloutDocument, problem: Report): readonly Problem[] {
  const { spec } = document;
  const problems: Problem[] = [];
  const stable = stableDocument(document);
  const stableKey = spec.stable === "current" ? "startsFrom" : "stable";
  if (spec.startsFrom !== undefined && spec.stable !== "current") {
    const message = "startsFrom is read only beside `stable: current`; this document says what stable is";
    problems.push(problem(["spec", "startsFrom"], "E126", message, "remove startsFrom, or write `stable: current`"));
  }
  // `startsFrom` is read before the first rollout alone: later it may be where the next release comes to stand.
  if (stableKey === "stable" && stable !== null && normalUrl(stable.url) === normalUrl(spec.candidate.url)) {
    const message = "stable and candidate have the same url, so there is nothing to compare";
    problems.push(problem(["spec", "candidate", "url"], "E110", message, "give the candidate its own address"));
  }
  for (const arm of SERVING_ARMS) {
    const range = (arm === "stable" ? stable : spec.candidate)?.serves?.schemaRev;
    if (range === undefined || Number(range.min.slice(3)) <= Number(range.max.slice(3))) continue;
    const message = `serves from ${range.min} to ${range.max}, which is no revision at all`;
    problems.push(
      problem(
        ["spec", arm === "stable" ? stableKey : arm, "serves", "schemaRev"],
        "E125",
        message,
        "put the lower revision first",
      ),
    );
  }
  const { cachePrefix } = spec.candidate;
  if (cachePrefix !== undefined && cachePrefix === stable?.cachePrefix) {
    const message = `both arms use the cache prefix "${cachePrefix}"; shared keys let one arm read what the other wrote`;
    problems.push(
      problem(["spec", "candidate", "cachePrefix"], "E111", message, "use a different prefix for each arm"),
    );
  }
  return problems;
}

/** Every metric a gate asks for is defined once, with a stable side where it is compared. */
function checkMetrics({ spec }: RolloutDocument, drivers: KnownDrivers, problem: Report): readonly Problem[] {
  const metrics = spec.metrics ?? [];
  const names = metrics.map(({ name }) => name);
  const doubled = names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [problem(["spec", "metrics", index, "name"], "E123", `a second metric is named "${name}"`)],
  );
  const asked = spec.gates.flatMap((entry, index) => {
    const gate = gateOf(entry);
    const [option] = Object.entries(gate?.options ?? {}).find(([, { form }]) => form.kind === "name") ?? [];
    if (gate === null || option === undefined) return [];
    const at = ["spec", "gates", index] as const;
    const asked = entry[option];
    const metric = metrics.find(({ name }) => name === asked);
    if (typeof asked !== "string" || !isTold(gate, entry)) return [problem(at, "E123", gate.asks ?? "")];
    if (metric === undefined)
      return [problem([...at, option], "E123", `unknown metric "${asked}"; ${suggestion(asked, names)}`)];
    const isCompared = entry["comparison"] === "ratio" || entry["comparison"] === "difference";
    if (!isCompared || metric.stable !== undefined) return [];
    return [problem([...at, "comparison"], "E123", `metric "${metric.name}" has no query for stable to compare with`)];
  });
  const sources = metrics.flatMap((metric, index) =>
    checkMetricSource(metric, drivers, ["spec", "metrics", index], problem),
  );
  return [...doubled, ...sources, ...asked];
}

/** Answers can only be judged with questions. */
function checkChangeTypes({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const gates = gatesOfChange(spec.changeTypes ?? []).filter(isProbeGate);
  if (gates.length === 0 || spec.probes !== undefined) return [];
  const message = `a change of ${spec.changeTypes?.join(", ")} needs ${gates.join(", ")}, and spec.probes is missing`;
  return [problem(["spec", "changeTypes"], "E124", message, "add spec.probes with the gold set")];
}
