import { createAdaptorServer } from "@hono/node-server";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { controllerApp } from "../../src/controller/api/app.ts";
import { TokenBook } from "../../src/controller/token-book.ts";
import { startObservations } from "../../src/core/observe/observe.ts";
import { epochMs } from "../../src/core/unit.ts";
import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import { keepCredential } from "../../src/host/controller-address.ts";
import { TOKEN_FILES } from "../../src/host/token-file.ts";
import { aRollout } from "../builders.ts";
import { World } from "../controller/world.ts";
import { sluiceInProcess } from "./sluice-in-process.ts";

const [ADMIN, OPERATE] = ["a".repeat(43), "o".repeat(43)];
const DAY_MS = 86_400_000;

let world: World;
let data: string;
let url: string;
let close: () => void;

/** Rollouts that ended so many days ago. */
async function storeOf(ends: readonly (readonly [name: string, days: number])[], nowMs: number) {
  const store = memoryStore();
  for (const [rolloutId, days] of ends) {
    const rollout = aRollout({ phase: "aborted", endedAt: epochMs(nowMs - days * DAY_MS) }, { rolloutId });
    const next = { rollout, observations: startObservations(rollout.plan, []), version: 1, createdAt: epochMs(0) };
    await store.commit({ rollout: { expectedVersion: null, next } });
  }
  return store;
}

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "sluice-prune-"));
  const { clock } = new World();
  world = new World(
    await storeOf(
      [
        ["r-1", 90],
        ["r-2", 40],
        ["r-3", 31],
        ["r-4", 29],
      ],
      clock.wallMs(),
    ),
  );
  await world.open();
  const { store, controller } = world;
  const tokens = await TokenBook.open(store, world.clock, [
    [ADMIN, "admin"],
    [OPERATE, "operate"],
  ]);
  const allowedHosts: string[] = [];
  const log = () => {};
  const stopped = new AbortController().signal;
  const options = { secret: ADMIN, tokens, hasOpenMetrics: false, allowedHosts, clock: world.clock, stopped, log };
  const server = createAdaptorServer({ fetch: controllerApp(controller, options).fetch });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  allowedHosts.push(host);
  url = `http://${host}`;
  close = () => void server.close();
  await keepCredential(data, { url, token: ADMIN }, TOKEN_FILES.admin);
});
afterEach(async () => {
  close();
  await world.controller.stop();
  await rm(data, { recursive: true, force: true });
});

const prune = (...argv: string[]) => sluiceInProcess("prune", "--controller", url, "--data", data, ...argv);

describe("sluice prune", () => {
  it("removes what ended over 30 days ago but for the last five of a service, or as it is told", async () => {
    const none = await prune();
    expect([none.code, none.stdout]).toEqual([0, ""]);
    expect(none.stderr).toContain("nothing to remove");
    const dry = await prune("--keep", "1", "--dry-run");
    expect(dry.stdout.split("\n").map((line) => line.split(" ")[0])).toEqual(["r-1", "r-2", "r-3", ""]);
    expect(dry.stderr).toContain("3 ended rollouts would be removed");
    const some = await prune("--keep", "1", "--older-than", "35d");
    expect(some.stdout).toMatch(/^r-1 {2}support-rag {2}aborted \S+Z\nr-2 {2}support-rag {2}aborted \S+Z\n$/);
    expect(some.stderr).toContain("2 ended rollouts removed");
    const last = JSON.parse((await prune("--keep", "0", "--older-than", "720h", "--json")).stdout);
    expect(last).toMatchObject({ outcome: "removed", removed: [{ id: "r-3", phase: "aborted", generation: 1 }] });
    expect(world.controller.rollouts().map(({ rollout }) => rollout.plan.rolloutId)).toEqual(["r-4"]);
  });

  it("refuses an age without its unit, and a token that may not remove records", async () => {
    const bare = await prune("--older-than", "30");
    expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining("e.g. 30d or 12h")]);
    await keepCredential(data, { url, token: OPERATE }, TOKEN_FILES.admin);
    const refused = await prune("--keep", "0");
    expect(refused.stderr).toContain("the token's scope is operate; this needs admin");
    expect(refused.code).not.toBe(0);
    expect(world.controller.rollouts()).toHaveLength(4);
  });
});
