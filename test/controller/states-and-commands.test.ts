import { afterEach, describe, expect, it } from "vitest";
import { exitOfProblem } from "../../src/cli/controller-client.ts";
import { TokenBook } from "../../src/controller/token-book.ts";
import { controllerApp } from "../../src/controller/api/app.ts";
import { epochMs } from "../../src/core/unit.ts";
import { Bench, type Cell, COLUMNS, type Column, NAME, STATES, type StateRow, stepPlan } from "./states.ts";

const TOKEN = "t".repeat(43);
const HOST = "127.0.0.1:4400";
const headers = { host: HOST, authorization: `Bearer ${TOKEN}` };

/** One way to meet a state: of the service's first rollout or a later one, with gateways or none, after a restart. */
interface Circumstances {
  readonly isLater: boolean;
  readonly hasGateways: boolean;
  readonly isRestarted: boolean;
}

/** Any two of the three circumstances occur in each of their four combinations. */
const CIRCUMSTANCES: readonly Circumstances[] = [
  { isLater: false, hasGateways: true, isRestarted: false },
  { isLater: true, hasGateways: true, isRestarted: true },
  { isLater: true, hasGateways: false, isRestarted: false },
  { isLater: false, hasGateways: false, isRestarted: true },
];

let world: Bench;
let keys = 0;
afterEach(() => (world as Bench | undefined)?.controller.stop());

/** A fresh world in a state. */
async function inState(row: StateRow, { isLater, hasGateways, isRestarted }: Circumstances): Promise<void> {
  world = await new Bench().bench();
  for (const port of [4001, 4002, 4003, 4004, 4005]) world.releases[port] = `release-${port}`;
  await world.run(2);
  if (isLater) {
    await world.controller.apply(stepPlan("q1", 4005));
    await world.run(60);
    expect(world.controller.rollout("q1")?.rollout.phase).toBe("promoted");
  }
  if (row.state === "checking") world.healthReadsLeft = 2;
  expect(await world.controller.apply(stepPlan(NAME, 4002, row.plan))).toMatchObject({ kind: "accepted" });
  await row.reach(world);
  if (isRestarted) {
    await world.controller.stop();
    if (row.state === "checking") world.healthReadsLeft = 0;
    await world.bench();
  }
  world.healthReadsLeft = row.state === "checking" && !isRestarted ? null : world.healthReadsLeft;
  const isReporting = hasGateways && row.state !== "setting a share";
  if (isReporting && isRestarted) {
    const { epochSeq } = world.gateway;
    world.hub.report("support-rag", "g1", epochSeq);
  }
  if (!hasGateways) await leave();
}

/** Every gateway falls silent for longer than it counts as there. */
async function leave(): Promise<void> {
  const { monoMs, wallMs } = world.clock;
  const silentFor = 3_500;
  world.isGatewayAlive = false;
  // Both clocks, or the wall clock would count as set.
  world.clock.monoMs = () => monoMs.call(world.clock) + silentFor;
  world.clock.wallMs = () => epochMs(wallMs.call(world.clock) + silentFor);
}

interface Answer {
  readonly exit: number;
  readonly outcome: string;
  readonly text: string;
}

/** Sends a command as the command line does and reads its exit code and words. */
async function send(column: Column): Promise<Answer> {
  if (column.startsWith("apply")) return applied(column === "apply");
  const { controller, clock } = world;
  const stopped = new AbortController().signal;
  const tokens = await TokenBook.open(world.store, clock, [[TOKEN, "admin"]]);
  const app = controllerApp(controller, {
    secret: TOKEN,
    tokens,
    hasOpenMetrics: false,
    allowedHosts: [HOST],
    clock,
    stopped,
    log: () => {},
  });
  const [verb = "", flag] = column.split(" ");
  const response = await app.request(`http://${HOST}/v1/rollouts/${NAME}/${verb}`, {
    method: "POST",
    headers: { ...headers, "idempotency-key": `k${++keys}` },
    body: JSON.stringify(flag === undefined ? {} : { despite: true }),
  });
  const body = (await response.json()) as { outcome?: string; text?: string; title?: string; detail?: string };
  const outcome = body.outcome === "accepted" ? "done" : (body.outcome ?? "done");
  if (response.ok) return { exit: 0, outcome, text: body.text ?? "" };
  return { exit: exitOfProblem(body.title ?? ""), outcome: "refused", text: body.detail ?? "" };
}

async function applied(isSame: boolean): Promise<Answer> {
  const before = world.controller.rollout(NAME)?.rollout.plan;
  const plan = isSame && before !== undefined ? before : stepPlan("q9", 4004);
  const answer = await world.controller.apply(plan);
  if (answer.kind === "refused") return { exit: exitOfProblem(answer.code), outcome: "refused", text: answer.message };
  const ends: Readonly<Record<string, number>> = { "rolled-back": 10, aborted: 12, "rollback-failed": 14 };
  const exit = answer.kind === "unchanged" ? (ends[answer.rollout.phase] ?? 0) : 0;
  const note = answer.kind === "unchanged" ? (answer.note ?? "") : "";
  return { exit, outcome: answer.kind === "unchanged" ? "held" : "done", text: note };
}

const shownPhase = (column: Column) =>
  world.controller.rollout(column === "apply another" ? "q9" : NAME)?.rollout.phase ?? "none";
const isEnd = (phase: string) => ["aborted", "rolled-back"].includes(phase);

function expectCell(row: StateRow, column: Column, cell: Cell, answer: Answer): void {
  const where = `${column} while ${row.state}: ${answer.text}`;
  if ("refused" in cell) {
    expect([where, answer.outcome, answer.exit]).toEqual([where, "refused", cell.refused]);
    expect(answer.text).toContain(cell.instead);
    return;
  }
  if ("held" in cell) return expect([where, answer.outcome, answer.exit]).toEqual([where, "held", cell.held]);
  expect([where, answer.outcome, answer.exit]).toEqual([where, "done", 0]);
  const phase = shownPhase(column);
  // A way back that every gateway serves already is confirmed before anybody can look.
  const isBack = cell.acts === "rolling-back" && isEnd(phase);
  const isBegun = cell.acts === "begins" && phase !== "none";
  const isThere = isBack || isBegun || (cell.acts === "ended" ? isEnd(phase) : phase === cell.acts);
  expect(isThere, `${where} led to ${phase}`).toBe(true);
}

/** Nothing can be begun where no gateway is connected. */
const NO_GATEWAY: Cell = { refused: 1, instead: "start one with" };
const begins = (column: Column) => column === "retry" || column === "apply another";

function cellOf(row: StateRow, column: Column, hasGateways: boolean): Cell {
  const cell = row.cells[COLUMNS.indexOf(column)] as Cell;
  return "acts" in cell && begins(column) && !hasGateways ? NO_GATEWAY : cell;
}

describe.each(STATES.map((row) => [row.state, row] as const))("a rollout that is %s", (_, row) => {
  it("has an answer for every command", () => {
    expect(row.cells.length).toBe(COLUMNS.length);
  });

  it.each(CIRCUMSTANCES)("refuses and holds what it should, changing nothing: %o", async (circumstances) => {
    await inState(row, circumstances);
    for (const column of COLUMNS) {
      const cell = cellOf(row, column, circumstances.hasGateways);
      if ("acts" in cell) continue;
      const before = world.controller.rollout(NAME)?.rollout;
      expectCell(row, column, cell, await send(column));
      expect(world.controller.rollout(NAME)?.rollout).toEqual(before);
    }
  });

  const acting = COLUMNS.filter((column) => "acts" in (row.cells[COLUMNS.indexOf(column)] as Cell));
  it.each(acting)("is moved by %s", async (column) => {
    const [alone, later] = CIRCUMSTANCES as readonly [Circumstances, Circumstances];
    for (const circumstances of [alone, later]) {
      await inState(row, circumstances);
      expectCell(row, column, cellOf(row, column, true), await send(column));
      if (circumstances === alone) await world.controller.stop();
    }
  });

  it("has a way out that needs no proof and no gateway", async () => {
    await inState(row, CIRCUMSTANCES[2] as Circumstances);
    const answers = await Promise.all([send("abort"), send("rollback")]);
    const isLeft = answers.some(({ exit }) => exit === 0) || row.state === "superseded";
    expect(isLeft).toBe(true);
  });
});
