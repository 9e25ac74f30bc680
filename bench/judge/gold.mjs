// A small gold set: what a run of it finds on both arms, as our probe report and as the one number a peer could watch.
import { judgeProbes } from "../../dist/core/index.js";
import { armReport } from "../../dist/core/measure/arm-report.js";
import { detectableDrops, discordantQuestions, pairedReport } from "../../dist/core/measure/paired-report.js";
import { measureQuestion } from "../../dist/core/measure/question-measure.js";
import { randomStream } from "../../dist/core/stats/random.js";

const TOPICS = 5;
const PHRASINGS = 3;
const REPEATS = 2;
/** Chance of a question's section to be retrieved in one run: most questions always, some mostly, a few rarely. */
const RETRIEVED = [
  { share: 0.6, chance: 1 },
  { share: 0.25, chance: 0.8 },
  { share: 0.15, chance: 0.2 },
];
const MEAN = RETRIEVED.reduce((sum, { share, chance }) => sum + share * chance, 0);

/**
 * The gold set of one run: the candidate has lost the sections of as many questions as make the wanted mean drop.
 * @param {{ questions: number, drop: number }} gold
 * @param {number} seed
 */
export function createGoldSet(gold, seed) {
  const random = randomStream((Math.imul(seed, 0x85ebca6b) + 7) >>> 0);
  const lostShare = gold.drop / MEAN;
  const questions = Array.from({ length: gold.questions }, (_, index) => {
    const place = (index * 0.618_033_988_75) % 1;
    const chance =
      place < RETRIEVED[0].share ? 1 : place < 1 - RETRIEVED[2].share ? RETRIEVED[1].chance : RETRIEVED[2].chance;
    return { id: `q${index}`, topic: `topic-${index % TOPICS}`, chance, order: random() };
  });
  const lost = [...questions].sort((a, b) => a.order - b.order).slice(0, Math.round(lostShare * gold.questions));
  const chanceOf = (question, arm) => (arm === "candidate" && lost.includes(question) ? 0 : question.chance);
  return {
    /** Covered runs of each question on one arm. @param {"stable" | "candidate"} arm @param {number} runs */
    ask: (arm, runs) =>
      questions.map((question) => {
        const chance = chanceOf(question, arm);
        return { ...question, runs: Array.from({ length: runs }, () => Number(random() < chance)) };
      }),
  };
}

/** Mean coverage of the candidate in one run of the set, as a peer's metric. */
export function candidateCoverage(goldSet) {
  const runs = goldSet.ask("candidate", PHRASINGS * REPEATS).flatMap((question) => question.runs);
  return runs.reduce((sum, value) => sum + value, 0) / runs.length;
}

/**
 * What our gates say of one probe run of both arms.
 * @param {ReturnType<typeof createGoldSet>} goldSet
 * @param {{ seed: number, extraRepeats: number, stage: object, gates: readonly object[] }} run
 */
export function probeVerdicts(goldSet, { seed, extraRepeats, stage, gates }) {
  const repeats = REPEATS + extraRepeats;
  const measure = (arm) => goldSet.ask(arm, PHRASINGS * repeats).map(questionMeasure);
  const [stable, candidate] = [measure("stable"), measure("candidate")];
  const rules = { level: "L3", calibration: null, embedder: "none", seed };
  const pairs = stable.map((question, index) => ({ stable: question, candidate: candidate[index] }));
  const report = {
    tier: "full",
    questions: stable.length,
    repeats,
    k: 10,
    versions: { deltaS: "bench", coverage: "bench", lambda: "bench", tokenizer: "bench" },
    goldDigest: "bench",
    seed,
    arms: { stable: armReport(stable, rules), candidate: armReport(candidate, rules) },
    paired: pairedReport(pairs, rules),
    detectableDrop: detectableDrops(pairs, candidate, rules),
    discordant: discordantQuestions(pairs),
    calibration: { mGold: 0, mDecoy: 1, auc: 1, usable: true, reason: null },
    selfTest: "fired",
    invalidItems: [],
    pooledTopics: [],
  };
  return judgeProbes(report, stage, gates);
}

function questionMeasure({ id, topic, runs }) {
  const gold = [{ doc: "bench", section: id, start: null, end: null, rev: null }];
  const item = { id, topic, phrasings: ["a", "b", "c"], answerable: true, gold, claims: [], decoy: null };
  const measured = runs.map((covered, index) => ({
    kind: "measured",
    phrasing: index % PHRASINGS,
    repetition: Math.floor(index / PHRASINGS),
    outcome: covered === 1 ? "right" : "wrong",
    citeOutcome: covered === 1 ? "right" : "wrong",
    sections: new Set(covered === 1 ? [`bench\u0000${id}`] : []),
    coverage: covered,
    rank: null,
    deltaS: null,
    anchor: null,
  }));
  return measureQuestion(item, measured);
}
