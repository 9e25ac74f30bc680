import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { systemClock } from "../../src/fence/system.ts";
import { randomStream } from "../../src/core/stats/random.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import { freePort } from "../free-port.ts";
import { type ChildController, endChild, startChild } from "./child.ts";
import { Edge, Operator, rolloutText } from "./edge.ts";

const TICK_MS = 50;
/**
 * How long a rollout may go on under a controller that is not killed; while it is killed, only the kills are counted.
 */
const ALONE_MAX_MS = 120_000;
const STORIES = ["promoted", "rolled-back", "aborted"] as const;
type Story = (typeof STORIES)[number];

export interface KillStory {
  readonly program: string;
  readonly dataDir: string;
  readonly healthUrl: string;
  readonly kills: number;
  readonly seed: number;
  /** Address of a server that keeps the store; left out for the embedded database. */
  readonly store?: readonly string[];
  readonly operator: Operator;
}

/** Rollouts one after another under a controller that is killed at random moments, and a check of each. */
export async function liveThroughKills(tale: KillStory): Promise<void> {
  const { program, dataDir, healthUrl, operator } = tale;
  const { kills: killsMax, seed } = tale;
  const [random, edge, port] = [
    randomStream(seed),
    new Edge("g1", "support-rag", systemClock, "not the controller's"),
    await freePort(),
  ];
  edge.requestsAWindow = 500;
  const rollouts: { readonly name: string; readonly story: Story }[] = [];
  let [kills, killAt, bornAt, startedAt] = [0, 0, 0, performance.now()];
  const failures: string[] = [];
  const start = async () => {
    operator.controller = await startChild(program, dataDir, port, "", 20_000, tale.store);
    bornAt = performance.now();
    killAt = bornAt + 30 + random() * 900;
  };
  const begunAt = performance.now();
  await start();
  while (kills < killsMax || (await operator.isRunning(rollouts.at(-1)?.name))) {
    const last = rollouts.at(-1);
    const isOver = last === undefined || !(await operator.isRunning(last.name));
    if (isOver && kills < killsMax) {
      const story = STORIES[rollouts.length % STORIES.length] as Story;
      rollouts.push({ name: `rollout-${rollouts.length + 1}`, story });
      startedAt = performance.now();
    }
    const { name, story } = rollouts.at(-1) as (typeof rollouts)[number];
    edge.failureShare = story === "rolled-back" ? 0.5 : 0;
    if ((await operator.status(name)) === null && edge.epochSeq !== undefined) {
      await operator.apply(name, rolloutText(name, healthUrl));
    }
    const isAborting = story === "aborted" && performance.now() - startedAt > 400;
    if (isAborting && (await operator.status(name))?.phase === "progressing") {
      await operator.send(`/v1/rollouts/${name}/abort`, { reason: "seen enough" }, `abort-${name}`);
    }
    if (operator.controller !== null)
      await edge.live(operator.controller).catch((error: unknown) => failures.push(String(error)));
    await sleep(TICK_MS);
    if (kills < killsMax && performance.now() > killAt && operator.controller !== null) {
      await endChild(operator.controller.child, "SIGKILL");
      kills++;
      await start();
    }
    if (performance.now() - Math.max(startedAt, bornAt) > ALONE_MAX_MS) {
      const found = JSON.stringify([await operator.status(name), operator.refusals.slice(-2), failures.slice(-2)]);
      throw new Error(`${name} does not end: ${found} ${operator.controller?.said()}`);
    }
  }
  const talk = `${kills} kills, ${rollouts.length} rollouts, ${edge.documents.size} documents, ${edge.served.candidate} candidate requests`;
  console.info(`${talk}, ${Math.round((performance.now() - begunAt) / 1_000)} s, seed ${seed}`);
  expect(edge.conflicts).toEqual([]);
  expect(failures.filter((failure) => /answered with 4/.test(failure))).toEqual([]);
  let documents = 0;
  for (const { name, story } of rollouts) documents += await checkEnded(operator, name, story, edge);
  expect(edge.documents.size).toBeLessThanOrEqual(documents);
  expect(await endChild((operator.controller as ChildController).child, "SIGTERM")).toBe(0);
}

/**
 * Checks one ended rollout against its journal and against what the edge served; returns how often a share was ordered.
 */
export async function checkEnded(operator: Operator, name: string, story: Story, edge: Edge): Promise<number> {
  const status = await operator.status(name);
  expect([name, status?.phase]).toEqual([name, story]);
  expect([name, status?.traffic.requests.candidate]).toEqual([name, edge.servedBy.get(name) ?? 0]);
  expect([name, status?.traffic.lost_windows]).toEqual([name, 0]);
  const entries = await operator.journal(name);
  expect(entries.map(({ index }) => index)).toEqual(entries.map((_, index) => index));
  const orders = entries.flatMap((entry) => entry.orders);
  expect(new Set(orders.map(({ id }) => id)).size).toBe(orders.length);
  const shares = orders.flatMap((order) => (order.port === "traffic" ? [Number(order.args.candidateBp)] : []));
  const commands = entries.filter(({ event }) => event.kind === "commanded").length;
  expect([name, commands]).toEqual([name, story === "aborted" ? 1 : 0]);
  if (story === "promoted") expect([name, shares]).toEqual([name, [2_000, 5_000, 10_000, 0]]);
  const seen = [...edge.documents.values()].map((text) => JSON.parse(text) as RoutingDocument);
  const own = seen.filter(({ rolloutId }) => rolloutId === name).map(({ candidateBp }) => Number(candidateBp));
  if (story === "promoted") expect([name, own]).toEqual([name, shares]);
  return shares.length;
}
