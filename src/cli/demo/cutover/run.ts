import { join } from "node:path";
import type { TrafficSummary } from "../../../lab/traffic/tally.ts";
import type { CutoverStatus } from "../../../contract/cutovers.ts";
import { printableLine } from "../../../core/printable.ts";
import type { Terminal } from "../../terminal.ts";
import { beginWhenReady } from "../begin.ts";
import type { Child } from "../child-process.ts";
import type { StageSet } from "../stage-set.ts";
import { cutoverDocument } from "./document.ts";
import { flipOrderedAt, followUntil, StepTeller } from "./follow.ts";
import type { Scene } from "./scene.ts";
import { beginCutover, jobsArguments, setStage, type Stage } from "./stage.ts";
import { type CutoverSummary, type Ending, type Moments, summarise } from "./summary.ts";

export interface CutoverTools {
  readonly set: StageSet;
  readonly folder: string;
  readonly seed: number;
  readonly listen: string;
  readonly note: (text: string) => void;
  readonly terminal: Terminal;
}

const CUTOVER = "move";
/** How long each side is watched at work before something moves. */
const WORK_MS = 1_500;
const SETTLE_MS = 15_000;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Plays one scene with real processes, and sums up what users and the store saw of it. */
export async function playCutover(scene: Scene, tools: CutoverTools): Promise<CutoverSummary> {
  const { note, set } = tools;
  note(`${scene.name}: ${scene.says}`);
  const stage = await setStage(scene, tools);
  try {
    const late = scene.hasLateWriter ? await startLateWriter(stage, set, note) : null;
    await pause(WORK_MS);
    const status = await move(stage, tools);
    const ending = status.phase === "returned" ? await stay(status, stage, set) : await live(scene, stage, tools, late);
    return summarise(scene, stage.targets.green.releaseId, ending);
  } finally {
    await stage.work.stop();
  }
}

async function move(stage: Stage, { folder, note, terminal }: CutoverTools): Promise<CutoverStatus> {
  note("everything moves to green: sluice apply move.yaml");
  await beginCutover(join(folder, `${CUTOVER}.yaml`), cutoverDocument(CUTOVER, stage.targets), stage, note);
  const teller = new StepTeller(terminal, note);
  const status = await followUntil(CUTOVER, ["holding", "returned", "stuck"], stage.client, teller);
  if (status.phase !== "holding") note(printableLine(`  ${status.phase}: ${status.cause ?? ""}`));
  return status;
}

const NOTHING_MOVED: Moments = {
  flipOrderedAt: null,
  lastStableAt: null,
  backOrderedAt: null,
  lastCandidateAt: null,
  backReadAt: null,
};

/** It went back by itself: what there is to see now is that everything goes on. */
async function stay({ phase, cause }: CutoverStatus, { work }: Stage, set: StageSet): Promise<Ending> {
  await pause(WORK_MS);
  const seen = await afterNow(set);
  return { phase, cause, moments: NOTHING_MOVED, seen, work: await work.settled(SETTLE_MS) };
}

/** A report of the generator that has seen all of what was asked until now. */
async function afterNow(set: StageSet): Promise<TrafficSummary> {
  await set.nextSeen();
  return set.nextSeen();
}

/** Green serves: the story's own turn, then back where the story says so, then the count. */
async function live(scene: Scene, stage: Stage, tools: CutoverTools, late: Child | null): Promise<Ending> {
  const { client, work, targets } = stage;
  const { note, set, terminal } = tools;
  const flipped = await afterNow(set);
  const orderedAt = await flipOrderedAt(CUTOVER, client);
  const lastStableAt = flipped.byRelease[targets.blue.releaseId]?.lastSentAtEpochMs ?? null;
  if (late !== null) await wake(stage, set, late, note);
  const goesBack = scene.expected.isTakenBack;
  const backOrderedAt = goesBack ? Date.now() : null;
  if (goesBack) {
    note("everything goes back to blue: sluice rollback move");
    const reason = "the demo takes it back";
    await beginWhenReady(() => client.post("/v1/cutovers/{id}/abort", { id: CUTOVER }, { reason }), note);
  }
  const teller = new StepTeller(terminal, goesBack ? note : () => {});
  const { phase, cause } = await followUntil(CUTOVER, ["done", "returned", "stuck"], client, teller);
  const backReadAt = goesBack ? Date.now() : null;
  await pause(WORK_MS);
  const seen = await afterNow(set);
  const lastCandidateAt = goesBack ? (seen.byRelease[targets.green.releaseId]?.lastSentAtEpochMs ?? null) : null;
  const moments = { flipOrderedAt: orderedAt, lastStableAt, backOrderedAt, lastCandidateAt, backReadAt };
  return { phase, cause, moments, seen, work: await work.settled(SETTLE_MS) };
}

/** A scheduler of blue that has its leave and then sleeps as a frozen machine does. */
async function startLateWriter(stage: Stage, set: StageSet, note: (text: string) => void): Promise<Child> {
  const argv = [...jobsArguments("scheduler", "blue", stage), "--freezes"];
  return new Promise((resolve) => {
    const child = set.jobs(argv, stage.token, (line) => {
      if ("effect" in line) note(writeText("blue", line));
      if (!("holds" in line)) return;
      note(`blue's scheduler has leave, token ${String(line["holds"])}, and its machine freezes before it writes`);
      resolve(child);
    });
  });
}

const writeText = (side: string, { done, token, slept_ms: sleptMs }: Record<string, unknown>) =>
  done === true
    ? `  ${side}'s scheduler sent the digest of the day with token ${String(token)}`
    : `  ${side}'s scheduler woke up after ${String(sleptMs)} ms and wrote with token ${String(token)}: refused by the store`;

/** Green's scheduler does what is due; then blue's wakes up. Both are told when they have written. */
async function wake(stage: Stage, set: StageSet, late: Child, note: (text: string) => void): Promise<void> {
  const take = (line: Record<string, unknown>): void => {
    if ("effect" in line) note(writeText("green", line));
  };
  await set.jobs(jobsArguments("scheduler", "green", stage), stage.token, take).ended;
  late.signal("SIGCONT");
  await late.ended;
}
