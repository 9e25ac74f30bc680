import type { ServingArm } from "../core/arm.ts";
import { type GoldItem, type SectionRef, sectionKey } from "../core/measure/gold.ts";
import { describeErrorClass } from "../core/window/error-class.ts";
import type { SmokeProblem } from "../ports/probe-runner.ts";
import { goldSections } from "./answers.ts";
import { type RunnerOptions, runProbeTasks } from "./runner.ts";
import type { TargetResult } from "./target.ts";

/** Questions of a smoke test: enough that no gold id among their answers means another spelling of ids. */
const QUESTIONS = 4;
const CONCURRENCY_MAX = 8;

type Asked = Omit<RunnerOptions, "items" | "repeats"> & {
  readonly gold: readonly GoldItem[];
  /** Whether a gate will read the text of what was retrieved. */
  readonly needsText: boolean;
};

/**
 * Asks both arms a few questions before anything begins, to find in seconds what would let a probe stage wait for a
 * person. Null when probes can begin. How good answers are is not looked at; a candidate alone whose answers break the
 * contract is the gates' business.
 */
export async function smokeProbe(options: Asked): Promise<SmokeProblem | null> {
  const items = spread(options.gold.filter(({ answerable }) => answerable)).map((item) => ({
    ...item,
    phrasings: item.phrasings.slice(0, 1),
  }));
  const results: Record<ServingArm, TargetResult[]> = { stable: [], candidate: [] };
  const concurrency = Math.min(options.concurrency, CONCURRENCY_MAX);
  await runProbeTasks({ ...options, items, repeats: 1, concurrency }, ({ arm }, result) => results[arm].push(result));
  return (
    unanswered(results, options) ?? unreadable(results) ?? unfit(results, options.gold) ?? textless(results, options)
  );
}

/** Items from the whole set, so that one bad topic is not everything that is asked. */
function spread(items: readonly GoldItem[]): readonly GoldItem[] {
  const step = Math.max(1, items.length / QUESTIONS);
  const places = Array.from({ length: Math.min(QUESTIONS, items.length) }, (_, index) => Math.floor(index * step));
  return places.flatMap((place) => items[place] ?? []);
}

function shown(excerpt: string | null): string {
  return excerpt === null || excerpt === "" ? "" : `: ${excerpt}`;
}

function unanswered(results: Record<ServingArm, TargetResult[]>, { targets }: Asked): SmokeProblem | null {
  for (const arm of ["stable", "candidate"] as const) {
    const [first] = results[arm];
    if (first?.kind !== "error" || results[arm].some(({ kind }) => kind !== "error")) continue;
    const asked = results[arm].length;
    const where = targets[arm]?.url ?? "";
    const what = `${asked} of ${asked} questions to ${arm} at ${where} ${describeErrorClass(first.errorClass)}`;
    return { kind: "unanswered", reason: `${what}${shown(first.excerpt)}` };
  }
  return null;
}

/** Stable keeps the contract by definition: when none of its answers does, the mapping describes another service. */
function unreadable({ stable }: Record<ServingArm, TargetResult[]>): SmokeProblem | null {
  const [first] = stable;
  if (first?.kind !== "schema-violation" || stable.some(({ kind }) => kind === "answer")) return null;
  const what = `${first.detail} in ${stable.length} of ${stable.length} answers of stable`;
  return { kind: "unfit", reason: `${what}${shown(first.excerpt)}` };
}

/** Ids alone cannot be compared as texts; the document must say that nobody expects it. */
function textless(results: Record<ServingArm, TargetResult[]>, { needsText }: Asked): SmokeProblem | null {
  const texts = results.stable.flatMap((result) =>
    result.kind === "answer" ? result.answer.retrieved.map(({ text }) => text) : [],
  );
  if (!needsText || texts.length === 0 || texts.some((text) => text.trim() !== "")) return null;
  const reason = `stable returned ${texts.length} sections and no text of any, which delta-s compares; map the text, or write probes: { text: false } and measure by ids alone`;
  return { kind: "unfit", reason };
}

function unfit(results: Record<ServingArm, TargetResult[]>, gold: readonly GoldItem[]): SmokeProblem | null {
  const known = goldSections(gold);
  const returned = [...results.stable, ...results.candidate].flatMap((result) =>
    result.kind === "answer" ? result.answer.retrieved : [],
  );
  const keys = new Set(returned.map(sectionKey));
  if (known.size === 0 || [...keys].some((key) => known.has(key))) return null;
  const [example] = known.values();
  const name = (section: SectionRef | undefined) =>
    section === undefined ? "none" : `${section.doc} ${section.section}`;
  const found = returned.length === 0 ? "nothing was retrieved" : `what comes back is named like ${name(returned[0])}`;
  const reason = `0 of ${known.size} gold ids are among the ${keys.size} sections that both arms returned; the set names ${name(example)}, ${found}`;
  return { kind: "unfit", reason };
}
