import type { ServingArm } from "../core/arm.ts";
import { type GoldItem, type Passage, type ProbeAnswer, type SectionRef, sectionKey } from "../core/measure/gold.ts";
import type { UnseenGold } from "../core/measure/report.ts";
import type { FailedRun, RunPlace } from "../core/measure/run-measure.ts";
import type { ProbeTask } from "./runner.ts";
import type { TargetResult } from "./target.ts";

/** A run that got an answer; the answer's own text is let go, no metric reads it. */
export interface AnsweredRun extends RunPlace {
  readonly kind: "answered";
  readonly answer: ProbeAnswer;
}

export type CollectedRun = AnsweredRun | FailedRun;

/** What both arms answered, held in memory: equal passages are one object, however often they were returned. */
export interface Answers {
  add(task: ProbeTask, result: TargetResult): void;
  /** Runs of an item, in the order of phrasing and repetition whatever the order they came in. */
  runs(arm: ServingArm, item: number): readonly CollectedRun[];
  /** Distinct passages of an arm over the given items. */
  passages(arm: ServingArm): readonly Passage[];
}

/** Unseen gold that a report names. */
const UNSEEN_NAMED_MAX = 20;

/** The gold sections of the items that an arm returned in none of its runs. */
export function unseenGold(items: readonly GoldItem[], passages: readonly Passage[]): UnseenGold {
  const returned = new Set(passages.map(sectionKey));
  const unseen = [...goldSections(items)].filter(([key]) => !returned.has(key)).map(([, section]) => section);
  return { count: unseen.length, first: unseen.slice(0, UNSEEN_NAMED_MAX) };
}

/** The distinct gold sections of the items, by key, in the order of the set. */
export function goldSections(items: readonly GoldItem[]): ReadonlyMap<string, SectionRef> {
  const spans = items.flatMap(({ gold }) => gold);
  return new Map(spans.map(({ doc, section }) => [sectionKey({ doc, section }), { doc, section }]));
}

export function collectAnswers(): Answers {
  const runs = new Map<string, CollectedRun[]>();
  const seen = { stable: new Set<Passage>(), candidate: new Set<Passage>() };
  const intern = passagePool();
  return {
    add({ arm, item, phrasing, repetition }, result) {
      const key = `${arm}/${item}`;
      const mine = runs.get(key) ?? [];
      runs.set(key, mine);
      const place = { phrasing, repetition };
      if (result.kind !== "answer") {
        const { excerpt } = result;
        const what =
          result.kind === "error"
            ? ({ kind: result.kind, errorClass: result.errorClass } as const)
            : ({ kind: result.kind, detail: result.detail } as const);
        mine.push({ ...place, ...what, excerpt });
        return;
      }
      const retrieved = result.answer.retrieved.map(intern);
      for (const passage of retrieved) seen[arm].add(passage);
      mine.push({ ...place, kind: "answered", answer: { ...result.answer, answer: "", retrieved } });
    },
    runs(arm, item) {
      const mine = runs.get(`${arm}/${item}`) ?? [];
      return [...mine].sort((a, b) => a.repetition - b.repetition || a.phrasing - b.phrasing);
    },
    passages: (arm) => [...seen[arm]],
  };
}

/** Gives the first passage that equals a given one. */
function passagePool(): (passage: Passage) => Passage {
  const bySection = new Map<string, Passage[]>();
  return (passage) => {
    const key = `${sectionKey(passage)}\u0000${passage.start}`;
    const known = bySection.get(key) ?? [];
    bySection.set(key, known);
    const equal = known.find(
      ({ end, rev, text }) => end === passage.end && rev === passage.rev && text === passage.text,
    );
    if (equal === undefined) known.push(passage);
    return equal ?? passage;
  };
}
