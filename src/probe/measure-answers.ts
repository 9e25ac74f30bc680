import { SERVING_ARMS, type ServingArm } from "../core/arm.ts";
import { type GoldItem, sectionKey } from "../core/measure/gold.ts";
import { measureQuestion, type QuestionMeasure } from "../core/measure/question-measure.ts";
import { type MeasureRules, measureRun, type RunDistances, type RunMeasure } from "../core/measure/run-measure.ts";
import type { Clock } from "../ports/clock.ts";
import type { Anchors } from "./anchors.ts";
import type { AnsweredRun, CollectedRun } from "./answers.ts";
import type { Distances, Judge } from "./judge.ts";

/** A question and what was answered to it, by arm; null for an arm that was not asked. */
export interface AskedItem {
  readonly item: GoldItem;
  readonly runs: Readonly<Record<ServingArm, readonly CollectedRun[] | null>>;
}

/** Questions by arm, in the order of the items; an arm that was not asked has none. */
export interface MeasuredArms {
  readonly stable: readonly QuestionMeasure[];
  readonly candidate: readonly QuestionMeasure[];
}

export interface MeasureTools {
  readonly judge: Judge;
  readonly anchors: Anchors;
  readonly rules: MeasureRules;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onQuestion?(done: number): void;
}

/** Questions whose texts are embedded together. */
const ITEMS_AT_ONCE = 16;

/** Measures all runs, a few questions at a time, so that vectors and distances do not pile up. */
export async function measureAnswers(asked: readonly AskedItem[], tools: MeasureTools): Promise<MeasuredArms> {
  const measured: { stable: QuestionMeasure[]; candidate: QuestionMeasure[] } = { stable: [], candidate: [] };
  for (let from = 0; from < asked.length; from += ITEMS_AT_ONCE) {
    const group = asked.slice(from, from + ITEMS_AT_ONCE);
    const distances = await tools.judge.prepare(textsOf(group, tools), tools.signal);
    for (const { item, runs } of group) {
      for (const arm of SERVING_ARMS) {
        const mine = runs[arm];
        if (mine === null) continue;
        measured[arm].push(
          measureQuestion(
            item,
            mine.map((run) => measureOne(item, run, distances, tools)),
          ),
        );
      }
    }
    tools.onQuestion?.(from + group.length);
    await tools.clock.sleep(0, tools.signal); // Lets other work of the process have its turn.
  }
  return measured;
}

function textsOf(group: readonly AskedItem[], { anchors, rules }: MeasureTools): readonly string[] {
  return group
    .filter(({ item }) => item.answerable)
    .flatMap(({ item, runs }) => {
      const answered = [...(runs.stable ?? []), ...(runs.candidate ?? [])].filter((run) => run.kind === "answered");
      const passages = answered.flatMap(({ answer }) => answer.retrieved.slice(0, rules.k));
      return [...item.phrasings, ...passages.map(({ text }) => text), ...goldTexts(item, anchors)];
    });
}

function goldTexts(item: GoldItem, anchors: Anchors): readonly string[] {
  return item.gold.flatMap((span) => anchors.text(sectionKey(span)) ?? []);
}

function measureOne(item: GoldItem, run: CollectedRun, distances: Distances, tools: MeasureTools): RunMeasure {
  if (run.kind !== "answered") return run;
  const place = { phrasing: run.phrasing, repetition: run.repetition };
  const measured = item.answerable ? distancesOf(item, run, distances, tools) : { question: [], anchor: null };
  return measureRun(item, place, run.answer, measured, tools.rules);
}

function distancesOf(item: GoldItem, run: AnsweredRun, distances: Distances, tools: MeasureTools): RunDistances {
  const phrasing = item.phrasings[run.phrasing] ?? "";
  const texts = run.answer.retrieved.slice(0, tools.rules.k).map(({ text }) => text);
  const anchors = goldTexts(item, tools.anchors);
  const toAnchors = texts.flatMap((text) => anchors.map((anchor) => distances.between(text, anchor).value));
  return {
    question: texts.map((text) => distances.between(phrasing, text)),
    anchor: toAnchors.length === 0 ? null : Math.min(...toAnchors),
  };
}
