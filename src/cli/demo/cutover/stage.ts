import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { applyBody, applyDocument } from "../../commands/apply.ts";
import { ControllerClient } from "../../controller-client.ts";
import { readDocument } from "../../read-document.ts";
import { beginWhenReady } from "../begin.ts";
import type { StageSet } from "../stage-set.ts";
import { WARM_REQUESTS, warmUp } from "../warm-up.ts";
import { type CutoverTargets, introduction } from "./document.ts";
import { NAMES, prepareStore } from "./indexes.ts";
import type { Scene } from "./scene.ts";
import { OrderedWork } from "./work.ts";

const SERVICE = "support-rag";
/** Fewer where the machine is too busy for so many: what is shown is a cutover, and no load. */
const REQUESTS_PER_SECOND = { most: 50, least: 10 } as const;
const JOBS_OF_REQUESTS = 0.6;
/** A request costs gateway, generator and database about as much again as the service that was measured. */
const SPARE = 5;
const LOOK_MS = 100;

/** Everything that runs before the cutover of a scene begins. */
export interface Stage {
  readonly client: ControllerClient;
  readonly targets: CutoverTargets;
  readonly work: OrderedWork;
  readonly token: string;
}

interface Tools {
  readonly set: StageSet;
  readonly folder: string;
  readonly seed: number;
  readonly listen: string;
  readonly note: (text: string) => void;
}

/** Two releases, their database, a gateway with users, and processes of both that work with effects. */
export async function setStage(scene: Scene, tools: Tools): Promise<Stage> {
  const { set, folder, seed, note } = tools;
  const [controllerUrl, storeUrl] = await Promise.all([set.controller(), set.database(scene.aliasLagMs)]);
  await prepareStore(storeUrl, { droppedSections: scene.droppedSections, seed });
  const [blue, green] = await Promise.all([
    set.release("blue", NAMES.index.blue, storeUrl),
    set.release("green", NAMES.index.green, storeUrl),
  ]);
  await warmUp(green.url);
  const requestsPerSecond = await rateOf(blue.url);
  const jobsPerSecond = Math.round(requestsPerSecond * JOBS_OF_REQUESTS);
  const client = await ControllerClient.connect({ controller: controllerUrl, dataDir: folder });
  const targets: CutoverTargets = { service: SERVICE, blue, green, listen: tools.listen, storeUrl };
  const first = join(folder, "known.yaml");
  await writeFile(first, introduction("known", targets));
  const gatewayUrl = await set.gateway(first);
  await set.traffic(`${gatewayUrl}/answer`, requestsPerSecond);
  note(`blue   ${blue.releaseId}  ${blue.url}  index ${NAMES.index.blue}, queue ${NAMES.queue.blue}, cache "blue:"`);
  note(
    `green  ${green.releaseId}  ${green.url}  index ${NAMES.index.green}, queue ${NAMES.queue.green}, cache "green:"`,
  );
  note("index, queue, cache and what jobs change are in one PGlite that speaks PostgreSQL's protocol to all of them");
  note(`users ask ${gatewayUrl}/answer ${requestsPerSecond} times a second and order ${jobsPerSecond} jobs a second`);
  const token = await workerToken(client);
  const stage = { client, targets, token, work: new OrderedWork(storeUrl, jobsPerSecond) };
  await introduce(first, client, note);
  await startWorkers(stage, set);
  return stage;
}

/** How fast users ask, by how fast a service is warmed up. */
async function rateOf(answerUrl: string): Promise<number> {
  const began = performance.now();
  await warmUp(answerUrl);
  const answered = (WARM_REQUESTS * 1_000) / (performance.now() - began);
  const { most, least } = REQUESTS_PER_SECOND;
  return Math.round(Math.min(most, Math.max(least, answered / SPARE)));
}

/** A secret of scope worker: it can ask whether it may act, nothing else. */
async function workerToken(client: ControllerClient): Promise<string> {
  const secret = randomBytes(32).toString("base64url");
  await client.post("/v1/tokens", {}, { name: "jobs", scope: "worker", secret, expires_in_ms: null });
  return secret;
}

/** Nobody may act on effects of a service that no rollout has named: one is begun and taken back. */
async function introduce(file: string, client: ControllerClient, note: (text: string) => void): Promise<void> {
  const read = await readDocument(file);
  const { id } = await beginWhenReady(() => applyDocument(read, client), note);
  const isKnown = async () => (await client.get("/v1/services/{service}", { service: SERVICE })).pointer !== null;
  while (!(await isKnown().catch(() => false))) await pause();
  await client.post("/v1/rollouts/{id}/abort", { id }, {});
  while ((await client.status(id)).exit_code === null) await pause();
}

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS));

/** What every process of `lab jobs` is told. */
export function jobsArguments(part: string, side: "blue" | "green", stage: Omit<Stage, "work">): readonly string[] {
  const { client, targets } = stage;
  const { service, storeUrl } = targets;
  const of = ["--release", targets[side].releaseId, "--consumer", NAMES.consumer[side], "--queue", NAMES.queue.blue];
  const at = ["--controller", client.url, "--store", storeUrl, "--pointer", NAMES.pointer];
  return ["--part", part, "--service", service, ...of, ...at];
}

async function startWorkers(stage: Stage, set: StageSet): Promise<void> {
  const started = (["blue", "green"] as const).flatMap((side) =>
    ["producer", "worker"].map((part) => set.jobs(jobsArguments(part, side, stage), stage.token)),
  );
  await Promise.all(started.map(({ ready }) => ready));
}

/** Hands a cutover to the controller, as `sluice apply` does. */
export async function beginCutover(path: string, text: string, { client }: Pick<Stage, "client">, note: Tools["note"]) {
  await writeFile(path, text);
  const read = await readDocument(path);
  const body = await applyBody(read);
  return (await beginWhenReady(() => client.post("/v1/cutovers", {}, body, read), note)).cutover;
}
