import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ControllerClient } from "../controller-client.ts";
import { playCutover } from "../demo/cutover/run.ts";
import { type Scene, sceneNamed } from "../demo/cutover/scene.ts";
import { cutoverLines } from "../demo/cutover/summary.ts";
import { demoDocument, type DemoTargets } from "../demo/document.ts";
import { DEFAULT_SCENARIOS, SCENARIOS, type Scenario, scenarioNamed } from "../demo/scenario.ts";
import { StageSet } from "../demo/stage-set.ts";
import { measureDemand } from "../demo/demand.ts";
import { isAsExpected, tellStory } from "../demo/story.ts";
import type { DemoSummary, RolloutSummary } from "../demo/summary.ts";
import { warmUp } from "../demo/warm-up.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { eventLine } from "../format/event-line.ts";
import { HANDBOOK, HANDBOOK_GOLD } from "../handbook.ts";
import type { Terminal } from "../terminal.ts";

export interface DemoOptions {
  readonly json: boolean;
  /** Null: the two stories of the plain demo. */
  readonly scenario: string | null;
  readonly isAll: boolean;
  readonly seed: number;
  readonly keep: boolean;
  readonly dataDir: string | null;
  readonly portBase: number | null;
}

const SERVICE = "support-rag";

function cast({ scenario, isAll }: DemoOptions): readonly Scenario[] {
  if (scenario !== null) return sceneNamed(scenario) === null ? [scenarioNamed(scenario)] : [];
  return isAll ? SCENARIOS : DEFAULT_SCENARIOS.map(scenarioNamed);
}

function summaryLine(summary: RolloutSummary, isRight: boolean, terminal: Terminal): string {
  const why = summary.cause === null ? "" : ` by ${summary.cause.gate} (${summary.cause.estimate?.toFixed(3) ?? "-"})`;
  const back =
    summary.rollback_ms === null ? "" : `, last candidate request ${summary.rollback_ms} ms after the verdict`;
  const seen = `${summary.candidate_requests} of ${summary.requests} user requests met it`;
  const glyph = isRight ? terminal.paint("good", "✔") : terminal.paint("bad", "✘");
  return `${glyph} ${summary.scenario}: ${summary.outcome}${why}; ${seen}${back}`;
}

/**
 * `sluice demo`: real processes, real retrieval, real traffic on this machine; ends by itself, exit 0 iff all went as
 * told.
 */
export async function demo(options: DemoOptions, terminal: Terminal): Promise<ExitCode> {
  const scenarios = cast(options);
  const folder = options.dataDir ?? (await mkdtemp(join(tmpdir(), "sluice-demo-")));
  const set = new StageSet({
    dataDir: folder,
    seed: options.seed,
    basePort: options.portBase === null ? null : options.portBase + 1,
  });
  const stopTelling = new AbortController();
  const interrupted = new Promise<null>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(null));
  });
  try {
    const scene = options.scenario === null ? null : sceneNamed(options.scenario);
    if (scene !== null) {
      const played = await Promise.race([playScene(scene, folder, set, options, terminal), interrupted]);
      return played ?? EXIT.interrupted;
    }
    const rollouts = await Promise.race([
      run(scenarios, folder, set, options, terminal, stopTelling.signal),
      interrupted,
    ]);
    if (rollouts === null) return EXIT.interrupted;
    const ok = rollouts.every((summary, index) => isAsExpected(scenarios[index] as Scenario, summary));
    const line: DemoSummary = { type: "summary", ok, seed: options.seed, rollouts, cutovers: [] };
    if (options.json) terminal.data(JSON.stringify(line));
    rollouts.forEach((summary, index) =>
      terminal.say(summaryLine(summary, isAsExpected(scenarios[index] as Scenario, summary), terminal)),
    );
    return ok ? EXIT.ok : EXIT.toolError;
  } finally {
    stopTelling.abort();
    await set.strike();
    if (options.keep || options.dataDir !== null) terminal.say(`kept: ${folder}`);
    else await removeAllButReports(folder);
  }
}

/** Says what happens as it happens: for people, or a line of JSON. */
function noter({ json }: DemoOptions, terminal: Terminal): (text: string) => void {
  return (text) => {
    if (json) terminal.data(JSON.stringify({ type: "note", ts: Date.now(), text }));
    else terminal.say(text);
  };
}

/** A story of a cutover: everything of a service at once. */
async function playScene(
  scene: Scene,
  folder: string,
  set: StageSet,
  options: DemoOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const listen = `127.0.0.1:${options.portBase ?? 0}`;
  const note = noter(options, terminal);
  const summary = await playCutover(scene, { set, folder, seed: options.seed, listen, note, terminal });
  const { ok } = summary;
  const line: DemoSummary = { type: "summary", ok, seed: options.seed, rollouts: [], cutovers: [summary] };
  if (options.json) terminal.data(JSON.stringify(line));
  for (const text of cutoverLines(summary, terminal)) terminal.say(text);
  return ok ? EXIT.ok : EXIT.toolError;
}

/** The summary names a report of each rollout, so those stay. */
async function removeAllButReports(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith(".md")) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function run(
  scenarios: readonly Scenario[],
  folder: string,
  set: StageSet,
  options: DemoOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<RolloutSummary[]> {
  const note = noter(options, terminal);
  note("a demo with shortened holds, on 127.0.0.1: one controller, one gateway, laboratory services");
  const [controllerUrl, firstStable] = await Promise.all([set.controller(), set.lab("r1", [])]);
  const client = await ControllerClient.connect({ controller: controllerUrl, dataDir: folder });
  void tellEvents(client, options, terminal, signal);
  await warmUp(firstStable);
  const { requestsPerSecond, slowness } = await measureDemand(firstStable);
  let stableUrl = firstStable;
  const targetsOf = (index: number, candidateUrl: string): DemoTargets => ({
    rollout: `${SERVICE}-${index + 1}`,
    service: SERVICE,
    stableUrl,
    candidateUrl,
    listen: `127.0.0.1:${options.portBase ?? 0}`,
    goldPath: HANDBOOK_GOLD,
    corpusPath: HANDBOOK,
    slowness,
  });
  const routeFile = join(folder, "gateway.yaml");
  await writeFile(routeFile, demoDocument(targetsOf(-1, `${firstStable}-next`), scenarios[0] as Scenario));
  const gatewayUrl = await set.gateway(routeFile);
  await set.traffic(`${gatewayUrl}/answer`, requestsPerSecond);
  const slow = slowness > 1 ? ", which is what this machine keeps up with now: the demo takes longer" : "";
  note(`users ask ${gatewayUrl}/answer ${requestsPerSecond} times a second${slow}`);
  const summaries: RolloutSummary[] = [];
  for (const [index, scenario] of scenarios.entries()) {
    const candidateUrl = await set.lab(`r${index + 2}`, scenario.faults);
    await warmUp(candidateUrl);
    const summary = await tellStory(scenario, targetsOf(index, candidateUrl), {
      client,
      folder,
      nextSeen: () => set.nextSeen(),
      note,
    });
    summaries.push(summary);
    if (summary.outcome === "promoted") stableUrl = candidateUrl;
    if (summary.outcome === "held") await client.post("/v1/rollouts/{id}/abort", { id: summary.name }, {});
  }
  return summaries;
}

async function tellEvents(
  client: ControllerClient,
  { json }: DemoOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  for await (const event of client.events(signal)) {
    if (json) terminal.data(JSON.stringify(event));
    const line = json ? null : eventLine(event, terminal);
    if (line !== null) terminal.say(line);
  }
}
