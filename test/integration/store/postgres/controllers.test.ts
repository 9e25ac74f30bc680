import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../../src/fence/system.ts";
import { bundleEntry } from "../../../controller/bundle.ts";
import { type ChildController, endChild, startChild, startHealth } from "../../../controller/child.ts";
import { Edge, Operator, rolloutText } from "../../../controller/edge.ts";
import { checkEnded } from "../../../controller/kill-story.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../fence/servers.ts";

const NAME = "rollout-1";
const TICK_MS = 50;

let program: string;
let server: PostgresServer;
let health: { readonly server: Server; readonly url: string };
let folder: string;
let pool: pg.Pool;
let operator: Operator;
let edge: Edge;
let running: ChildController[];

/** A controller with a data directory of its own, as on a machine of its own; "over" takes the store at once. */
async function start(machine: string, ...over: readonly string[]): Promise<ChildController> {
  const controller = await startChild(program, join(folder, machine), 0, "", 20_000, [server.url, ...over]);
  running.push(controller);
  return controller;
}

/** What ends a process that ends by itself. */
async function codeOf({ child }: ChildController): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

/** Lives with the operator's controller until something holds; what a push is refused with is no matter here. */
async function until(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const refused: string[] = [];
  for (let tries = 0; tries < 1_200; tries++) {
    if (operator.controller !== null)
      await edge.live(operator.controller).catch((error: unknown) => refused.push(String(error)));
    if (await holds()) return;
    await sleep(TICK_MS);
  }
  const said = running.map((one) => one.said()).join("\n---\n");
  throw new Error(`${what} did not come: ${refused.slice(-2).join()} ${said}`);
}

const isEnded = async () => !(await operator.isRunning(NAME));

/** A rollout with users on its candidate, decided by the controller of machine a. */
async function atTwentyPercent(hold: string): Promise<ChildController> {
  const first = await start("a");
  operator.controller = first;
  await until(async () => (await operator.apply(NAME, rolloutText(NAME, health.url, hold))) === 201, "acceptance");
  await until(() => edge.served.candidate > 500, "traffic of the candidate");
  for (const machine of ["b", "c", "d"])
    for (const file of ["token", "gateway-token", "signing-key"])
      await cp(join(folder, "a", file), join(folder, machine, file), { recursive: true });
  return first;
}

const rows = async (text: string) => (await pool.query<Record<string, unknown>>(text)).rows;
/** Everything that a decision changes. */
const written = () =>
  rows(`select r.version, d.epoch, d.seq, (select count(*) from sluice.journal) as entries
    from sluice.rollouts r, sluice.documents d`);

describe.skipIf(!hasPostgres())("controllers on one PostgreSQL database", { timeout: 120_000 }, () => {
  beforeAll(async () => {
    program = await bundleEntry("controller-process.ts");
  });
  beforeEach(async () => {
    [server, health] = [await startPostgres(), await startHealth()];
    folder = await mkdtemp(join(tmpdir(), "sluice-controllers-"));
    pool = server.connect(2);
    [operator, running] = [new Operator(), []];
    edge = new Edge("g1", "support-rag", systemClock, "not the controller's");
    edge.requestsAWindow = 500;
  });
  afterEach(async () => {
    for (const { child } of running) {
      child.kill("SIGCONT");
      await endChild(child, "SIGKILL");
    }
    health.server.close();
    await pool.end();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("are one at a time: a second one is told who has the store, and takes it when it was given up", async () => {
    const first = await start("a");
    const refused = await start("b").catch((error: unknown) => String(error));
    expect(refused).toMatch(/ended with 13: .*watching for 10 s.*\n.*is held by process \d+ on .*, data in .*\/a\n/s);
    expect(await endChild(first.child, "SIGTERM")).toBe(0);
    const beganMs = performance.now();
    const second = await start("b");
    expect(second.said()).not.toContain("watching");
    expect(performance.now() - beganMs).toBeLessThan(8_000);
    expect(await endChild(second.child, "SIGTERM")).toBe(0);
  });

  it("I2: the one that was taken over ends as superseded with 13, and the other goes on with the rollout", async () => {
    const first = await atTwentyPercent("6s");
    const second = await start("b", "over");
    expect(await codeOf(first)).toBe(13);
    const name = `process ${second.child.pid} on `;
    expect(first.said()).toContain("superseded: another controller has taken this store over (store ");
    expect(first.said()).toContain(name);
    operator.controller = second;
    await until(isEnded, "an end");
    await checkEnded(operator, NAME, "promoted", edge);
    expect(edge.conflicts).toEqual([]);
    expect(await endChild(second.child, "SIGTERM")).toBe(0);
  });

  it("I2: one that was stopped at any moment wakes up superseded and changes nothing any more, 3 times", async () => {
    let awake = await atTwentyPercent("60s");
    for (const machine of ["b", "c", "d"]) {
      const [seen, more] = [edge.served.candidate, 400 + 137 * running.length];
      await until(() => edge.served.candidate > seen + more, "some windows");
      const asleep = awake;
      asleep.child.kill("SIGSTOP");
      awake = await start(machine, "over");
      awake.child.kill("SIGSTOP"); // Nobody but the deposed one could write now.
      const before = await written();
      asleep.child.kill("SIGCONT");
      expect(await codeOf(asleep)).toBe(13);
      expect(await written()).toEqual(before);
      awake.child.kill("SIGCONT");
      operator.controller = awake;
    }
  });

  it("an outage of the server moves nobody and ends nobody: the same process goes on when it is back", async () => {
    const first = await atTwentyPercent("3s");
    const before = JSON.stringify(edge.document);
    await server.halt();
    const away = performance.now();
    await until(() => performance.now() - away > 4_000, "four seconds");
    expect(JSON.stringify(edge.document)).toBe(before);
    const refusal = await operator.send(`/v1/rollouts/${NAME}/abort`, { reason: "now" }, "abort-while-away");
    expect([refusal, operator.refusals.at(-1)]).toEqual([503, expect.stringContaining("store-away")]);
    expect(first.child.exitCode).toBeNull();
    await server.resume();
    await until(isEnded, "an end");
    await checkEnded(operator, NAME, "promoted", edge);
    expect(first.said().match(/the store is (away|back)/g)).toEqual(["the store is away", "the store is back"]);
    expect(await endChild(first.child, "SIGTERM")).toBe(0);
  });
});
