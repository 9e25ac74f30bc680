import type { Hono } from "hono";
import { afterEach, describe, expect, it } from "vitest";
import { controllerApp } from "../../src/controller/api/app.ts";
import { TokenBook } from "../../src/controller/token-book.ts";
import type { RolloutPlan } from "../../src/core/stage/plan.ts";
import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import { DriverError } from "../../src/ports/driver-error.ts";
import type { ControllerStore } from "../../src/ports/controller-store.ts";
import { traffic, watch } from "../builders.ts";
import { shortPlan, World } from "./world.ts";

const TOKEN = "t".repeat(43);
const HOST = "127.0.0.1:4400";
const DAY_MS = 86_400_000;
const MONTH = { older_than_ms: 30 * DAY_MS, keep: 0 };
const ASKED = { full: false, by: "ann", reason: "" };

let world: World;
let keys = 0;
afterEach(() => world.controller.stop());

const arm = (port: number): RolloutPlan["arms"]["stable"] => ({
  releaseId: `r${port}`,
  url: `http://127.0.0.1:${port}/answer`,
  endpoints: [`http://127.0.0.1:${port}`],
  cachePrefix: `r${port}:`,
  healthUrl: `http://127.0.0.1:${port}/healthz/ready`,
  answerUrl: null,
});
const planOf = (rolloutId: string, over: Partial<RolloutPlan> = {}) =>
  shortPlan({
    rolloutId,
    documentDigest: `sha256:${rolloutId}`,
    arms: { stable: arm(4001), candidate: arm(4002) },
    ...over,
  });
const document = (name: string) => `apiVersion: sluice/v1
kind: Rollout
metadata: { name: ${name} }
spec:
  service: support-rag
  stable: current
  candidate: { url: "http://127.0.0.1:4003/answer" }
  route: { driver: gateway, listen: "127.0.0.1:4000", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: { canary: { steps: [{ weight: 20, hold: 3s }, { weight: 100, hold: 1s }] } }
  gates: [{ use: demo }]
`;

async function served(): Promise<Hono> {
  const { controller, clock, store } = world;
  const tokens = await TokenBook.open(store, clock, [[TOKEN, "admin"]]);
  const log = (line: string) => void world.logged.push(line);
  const stopped = new AbortController().signal;
  return controllerApp(controller, {
    secret: TOKEN,
    tokens,
    hasOpenMetrics: false,
    allowedHosts: [HOST],
    clock,
    stopped,
    log,
  });
}

async function ask(method: string, path: string, body?: unknown, key = `k${++keys}`) {
  const headers = { host: HOST, authorization: `Bearer ${TOKEN}`, "idempotency-key": key, "x-sluice-operator": "ann" };
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await (await served()).request(`http://${HOST}${path}`, { method, headers, ...text });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

const prune = (body: object, key?: string) => ask("POST", "/v1/prune", body, key);
const ids = ({ json }: Awaited<ReturnType<typeof prune>>) => (json["removed"] as { id: string }[]).map(({ id }) => id);
const known = () =>
  world.controller
    .rollouts()
    .map(({ rollout }) => rollout.plan.rolloutId)
    .sort();

/** Two rollouts that were aborted and one that was promoted, 40 days ago, and one that runs now. */
async function start(store: ControllerStore = memoryStore()): Promise<void> {
  world = await new World(store).open();
  await world.run(2);
  for (const name of ["one", "two"]) {
    await world.controller.apply(planOf(name));
    await world.run(8);
    await world.controller.command(name, { ...ASKED, command: "abort" });
    await world.run(8);
  }
  await world.controller.apply(planOf("promoted"));
  await world.run(60);
  expect(world.controller.rollout("promoted")?.rollout.phase).toBe("promoted");
  world.clock.jumpWall(40 * DAY_MS);
  await world.run(2);
  const stages = [traffic(20, 60_000), watch(1_000)];
  await world.controller.apply(planOf("runs", { stages, arms: { stable: arm(4002), candidate: arm(4003) } }));
  await world.run(12);
  expect(world.controller.rollout("runs")?.rollout.candidateBp).toBe(2_000);
}

describe("pruning", () => {
  it("removes what ended long ago with its journal, not what runs nor what made the release, over a restart", async () => {
    await start();
    expect((await ask("GET", "/v1/rollouts/one/journal")).json["entries"]).not.toEqual([]);
    const answer = await prune(MONTH);
    expect([answer.status, answer.json["outcome"], ids(answer)]).toEqual([200, "removed", ["one", "two"]]);
    expect(answer.json["removed"]).toContainEqual(
      expect.objectContaining({ service: "support-rag", phase: "aborted" }),
    );
    const look = async () => {
      expect(known()).toEqual(["promoted", "runs"]);
      expect((await ask("GET", "/v1/rollouts/one")).status).toBe(404);
      expect([await world.store.journal("one"), await world.store.reports("one")]).toEqual([[], []]);
      expect((await world.store.pruned()).map(({ rolloutId, by }) => [rolloutId, by])).toEqual([
        ["one", "ann"],
        ["two", "ann"],
      ]);
    };
    await look();
    await world.controller.stop();
    await world.open();
    await world.run(4);
    await look();
    expect(world.logged.filter((line) => line.startsWith("ann removed rollout"))).toHaveLength(2);
    await world.controller.command("runs", { ...ASKED, command: "abort" });
    await world.run(8);
    expect(world.controller.rollout("runs")?.rollout.phase).toBe("aborted");
  });

  it("says what would go, and keeps the last ones of a service", async () => {
    await start();
    const dry = await prune({ ...MONTH, dry_run: true });
    expect([dry.json["outcome"], ids(dry), known().length]).toEqual(["would-remove", ["one", "two"], 4]);
    expect(ids(await prune({ ...MONTH, older_than_ms: 50 * DAY_MS }))).toEqual([]);
    expect(ids(await prune({ ...MONTH, keep: 3 }))).toEqual([]);
    expect(ids(await prune({ ...MONTH, keep: 2 }))).toEqual(["one"]);
    expect(known()).toEqual(["promoted", "runs", "two"]);
    expect((await prune({ keep: -1 })).status).toBe(400);
  });

  it("gives a name that was removed its next generation, so that no id and no cache prefix comes twice", async () => {
    await start();
    await prune(MONTH);
    await world.controller.command("runs", { ...ASKED, command: "abort" });
    await world.run(8);
    const refused = await world.controller.apply(planOf("one", { arms: { stable: arm(4002), candidate: arm(4003) } }));
    expect(refused).toMatchObject({ kind: "refused", code: "generation" });
    const paths = { set: null, map: null, corpus: null };
    const body = { document: document("one"), file: "one.yaml", gold_digest: "", paths };
    const applied = await ask("POST", "/v1/rollouts", body);
    expect([applied.status, applied.json["generation"]]).toEqual([201, 2]);
    await world.run(8);
    const orders = (await world.store.journal("one")).flatMap((entry) => entry.orders.map(({ id }) => id));
    expect(orders.length).toBeGreaterThan(0);
    expect(orders.every((id) => id.startsWith("one/2/"))).toBe(true);
    expect(world.controller.rollout("one")?.rollout.plan.arms.candidate.cachePrefix).toBe("one.2:");
  });

  it("answers the same key the same way, and goes on where a store that failed left it", async () => {
    const store = memoryStore();
    let failsAt: string | null = "two";
    const commit: ControllerStore["commit"] = (change) =>
      change.pruned?.left.rolloutId === failsAt && failsAt !== null
        ? Promise.reject(new DriverError("rejected", "safe", "the disk is full"))
        : store.commit(change);
    await start({ ...store, commit });
    expect((await prune(MONTH, "same")).status).toBe(500);
    expect(known().sort()).toEqual(["promoted", "runs", "two"]);
    expect((await ask("GET", "/v1/rollouts/two")).status).toBe(200);
    failsAt = null;
    expect(ids(await prune(MONTH, "same"))).toEqual(["two"]);
    expect(ids(await prune(MONTH, "same"))).toEqual(["two"]);
    expect(known().sort()).toEqual(["promoted", "runs"]);
  });
});
