import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Status } from "../../src/contract/status.ts";
import { systemClock } from "../../src/fence/system.ts";
import { randomStream } from "../../src/core/stats/random.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import type { JournalEntry } from "../../src/ports/controller-store.ts";
import { freePort } from "../free-port.ts";
import { bundleEntry } from "./bundle.ts";
import { type ChildController, endChild, startChild, startHealth } from "./child.ts";
import { SimulatedGateway } from "./simulated-gateway.ts";

const KILLS = Number(process.env["SLUICE_TEST_KILLS"] ?? 15);
const SEED = Number(process.env["SLUICE_TEST_SEED"] ?? 7);
const TICK_MS = 50;
/**
 * How long a rollout may go on under a controller that is not killed; while it is killed, only the kills are counted.
 */
const ALONE_MAX_MS = 120_000;
const STORIES = ["promoted", "rolled-back", "aborted"] as const;
type Story = (typeof STORIES)[number];

/** A simulated gateway that lives through the controller's deaths and compares every document it is given. */
class Edge extends SimulatedGateway {
  readonly documents = new Map<string, string>();
  readonly conflicts: string[] = [];
  readonly servedBy = new Map<string, number>();

  async live(controller: ChildController): Promise<void> {
    const before = this.served.candidate;
    this.serve();
    const rolloutId = this.document.rolloutId ?? "";
    this.servedBy.set(rolloutId, (this.servedBy.get(rolloutId) ?? 0) + this.served.candidate - before);
    const authorization = `Bearer ${controller.token}`;
    const response = await fetch(`${controller.url}/v1/routing/support-rag`, { headers: { authorization } });
    if (response.ok) this.#meet((await response.json()) as RoutingDocument);
    const sent = this.waiting.slice(0, 400);
    const push = { gateway_id: this.gatewayId, windows: sent, adopted: this.epochSeq };
    const headers = { authorization, "content-type": "application/json" };
    const answer = await fetch(`${controller.url}/v1/telemetry`, {
      method: "POST",
      headers,
      body: JSON.stringify(push),
    });
    if (!answer.ok) throw new Error(`telemetry was answered with ${answer.status}: ${await answer.text()}`);
    const { acked } = (await answer.json()) as { acked: number };
    this.waiting = this.waiting.filter(({ seq }) => seq > acked);
  }

  #meet(document: RoutingDocument): void {
    const number = `${document.epoch}.${document.seq}`;
    const text = JSON.stringify(document);
    if ((this.documents.get(number) ?? text) !== text) this.conflicts.push(number);
    this.documents.set(number, text);
    const { epoch, seq } = this.epochSeq;
    if (document.epoch < epoch || (document.epoch === epoch && document.seq < seq))
      this.conflicts.push(`back to ${number}`);
    this.hear(document);
  }
}

let dataDir: string;
let health: { readonly server: Server; readonly url: string };
let controller: ChildController | null = null;
const refusals: string[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sluice-kill-"));
  health = await startHealth();
});
afterEach(async () => {
  if (controller !== null) await endChild(controller.child, "SIGKILL");
  health.server.close();
  await rm(dataDir, { recursive: true, force: true });
});

function document(name: string): string {
  return `apiVersion: sluice/v1
kind: Rollout
metadata: { name: ${name} }
spec:
  service: support-rag
  stable: current
  startsFrom: { url: "${health.url}/answer" }
  candidate: { url: "${health.url}/${name}" }
  route: { driver: gateway, listen: "127.0.0.1:4000", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }], lease: 1s }
  strategy: { canary: { steps: [{ weight: 20, hold: 600ms }, { weight: 50, hold: 300ms }, { weight: 100, hold: 300ms }] } }
  gates: [{ use: demo }]
`;
}

/** Sends a change until it is answered, with one key: whatever dies in between, it is one action. */
async function insist(path: string, body: object, key: string): Promise<number | null> {
  if (controller === null) return null;
  const { url, token } = controller;
  const headers = { authorization: `Bearer ${token}`, "idempotency-key": key, "content-type": "application/json" };
  const answer = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
  if (answer !== null && answer.status >= 400) refusals.push(await answer.text().catch(() => "cut"));
  return answer?.status ?? null;
}

const reading = () => ({ headers: { authorization: `Bearer ${controller?.token}` } });

async function statusOf(name: string): Promise<Status | null> {
  const answer = await fetch(`${controller?.url}/v1/rollouts/${name}`, reading()).catch(() => null);
  return answer?.ok ? ((await answer.json()) as Status) : null;
}

describe("a controller process that is killed", () => {
  const limits = { timeout: 600_000 };
  it(
    `I6, I7, I8, I10, I20: ends every rollout, loses nothing and doubles nothing under ${KILLS} kills -9`,
    limits,
    async () => {
      const program = await bundleEntry("controller-process.ts");
      const [random, edge, port] = [
        randomStream(SEED),
        new Edge("g1", "support-rag", systemClock, "not the controller's"),
        await freePort(),
      ];
      edge.requestsAWindow = 500;
      const rollouts: { readonly name: string; readonly story: Story }[] = [];
      let [kills, killAt, bornAt, startedAt] = [0, 0, 0, performance.now()];
      const failures: string[] = [];
      const start = async () => {
        controller = await startChild(program, dataDir, port);
        bornAt = performance.now();
        killAt = bornAt + 30 + random() * 900;
      };
      const begunAt = performance.now();
      await start();
      while (kills < KILLS || (await isRunning(rollouts.at(-1)?.name))) {
        const last = rollouts.at(-1);
        const isOver = last === undefined || !(await isRunning(last.name));
        if (isOver && kills < KILLS) {
          const story = STORIES[rollouts.length % STORIES.length] as Story;
          rollouts.push({ name: `rollout-${rollouts.length + 1}`, story });
          startedAt = performance.now();
        }
        const { name, story } = rollouts.at(-1) as (typeof rollouts)[number];
        edge.failureShare = story === "rolled-back" ? 0.5 : 0;
        if ((await statusOf(name)) === null && edge.epochSeq !== undefined) {
          const body = {
            document: document(name),
            file: "r.yaml",
            gold_digest: "",
            paths: { set: null, map: null, corpus: null },
          };
          await insist("/v1/rollouts", body, `apply-${name}`);
        }
        const isAborting = story === "aborted" && performance.now() - startedAt > 400;
        if (isAborting && (await statusOf(name))?.phase === "progressing") {
          await insist(`/v1/rollouts/${name}/abort`, { reason: "seen enough" }, `abort-${name}`);
        }
        if (controller !== null) await edge.live(controller).catch((error: unknown) => failures.push(String(error)));
        await sleep(TICK_MS);
        if (kills < KILLS && performance.now() > killAt && controller !== null) {
          await endChild(controller.child, "SIGKILL");
          kills++;
          await start();
        }
        if (performance.now() - Math.max(startedAt, bornAt) > ALONE_MAX_MS) {
          const found = JSON.stringify([await statusOf(name), refusals.slice(-2), failures.slice(-2)]);
          throw new Error(`${name} does not end: ${found} ${controller?.said()}`);
        }
      }
      const talk = `${kills} kills, ${rollouts.length} rollouts, ${edge.documents.size} documents, ${edge.served.candidate} candidate requests`;
      console.info(`${talk}, ${Math.round((performance.now() - begunAt) / 1_000)} s, seed ${SEED}`);
      expect(edge.conflicts).toEqual([]);
      expect(failures.filter((failure) => /answered with 4/.test(failure))).toEqual([]);
      let documents = 0;
      for (const { name, story } of rollouts) documents += await check(name, story, edge);
      expect(edge.documents.size).toBeLessThanOrEqual(documents);
      expect(await endChild((controller as ChildController).child, "SIGTERM")).toBe(0);
    },
  );
});

async function isRunning(name: string | undefined): Promise<boolean> {
  if (name === undefined) return false;
  const status = await statusOf(name);
  return status === null || status.ended_at === null;
}

/**
 * Checks one ended rollout against its journal and against what the edge served; returns how often a share was ordered.
 */
async function check(name: string, story: Story, edge: Edge): Promise<number> {
  const status = await statusOf(name);
  expect([name, status?.phase]).toEqual([name, story]);
  expect([name, status?.traffic.requests.candidate]).toEqual([name, edge.servedBy.get(name) ?? 0]);
  expect([name, status?.traffic.lost_windows]).toEqual([name, 0]);
  const journal = await fetch(`${controller?.url}/v1/rollouts/${name}/journal`, reading());
  const { entries } = (await journal.json()) as { entries: JournalEntry[] };
  expect(entries.map(({ index }) => index)).toEqual(entries.map((_, index) => index));
  const effects = entries.flatMap((entry) => entry.effects);
  expect(new Set(effects.map(({ id }) => id)).size).toBe(effects.length);
  const shares = effects.flatMap((effect) => (effect.kind === "set-split" ? [Number(effect.candidateBp)] : []));
  const commands = entries.filter(({ event }) => event.kind === "commanded").length;
  expect([name, commands]).toEqual([name, story === "aborted" ? 1 : 0]);
  if (story === "promoted") expect([name, shares]).toEqual([name, [2_000, 5_000, 10_000, 0]]);
  const seen = [...edge.documents.values()].map((text) => JSON.parse(text) as RoutingDocument);
  const own = seen.filter(({ rolloutId }) => rolloutId === name).map(({ candidateBp }) => Number(candidateBp));
  if (story === "promoted") expect([name, own]).toEqual([name, shares]);
  return shares.length;
}
