import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aDrillPlan } from "../../../test/a-drill.ts";
import { after, aVerdict } from "../../../test/builders.ts";
import { type Order, orderName } from "../process/order.ts";
import { type Drill, type DrillEvent, drillMachine, drillStepName, phaseOf, sagaOf } from "./machine.ts";
import type { DrillPlan } from "./plan.ts";
import { stepsHome, stepsOut } from "./steps.ts";

/** Data planes, the grant and the freeze, each of which refuses an order with a lower token than it has seen. */
class World {
  ownBp = 10_000;
  writer = "us-east";
  isFrozen = false;
  /** When users were last sent away, and when any of them last came back. */
  awayAtMs = Number.NEGATIVE_INFINITY;
  readonly broken: string[] = [];
  readonly #seen = new Map<string, number>();
  readonly #freezesWrites: boolean;

  constructor({ freezesWrites }: DrillPlan) {
    this.#freezesWrites = freezesWrites;
  }

  apply(order: Order, atMs: number): void {
    const { verb, args, epoch = 0 } = order;
    const thing = verb === "route" ? "routes" : ["freeze", "unfreeze", "promote"].includes(verb) ? "grant" : null;
    if (thing === null || epoch < (this.#seen.get(thing) ?? 0)) return;
    this.#seen.set(thing, epoch);
    if (verb === "freeze") this.isFrozen = true;
    if (verb === "unfreeze") this.isFrozen = false;
    if (verb === "promote") {
      if (this.#freezesWrites && !this.isFrozen) this.broken.push(`${order.id} promotes while effects are begun`);
      this.writer = String(args["to"]);
    }
    if (verb !== "route") return;
    const next = Number(args["ownBp"]);
    if (next > this.ownBp && this.ownBp === 0 && atMs - this.awayAtMs < 30_000)
      this.broken.push(`${order.id} brings users back ${atMs - this.awayAtMs} ms after they left`);
    if (next === 0 && this.ownBp > 0) this.awayAtMs = atMs;
    this.ownBp = next;
  }
}

type Outcome = "done" | "failed" | "unheard" | "wrong";

/** A drill in its world, with its journal, and what has to hold of every order it gives. */
class Run {
  drill: Drill;
  atMs = 0;
  readonly world: World;
  readonly journal: DrillEvent[] = [];
  readonly orders: Order[] = [];
  readonly late: Order[] = [];
  readonly notes: string[] = [];
  /** Checks of the way home that passed since users were last sent away. */
  #passed: string[] = [];
  #asked: readonly string[] = [];

  constructor(readonly plan: DrillPlan = aDrillPlan()) {
    this.drill = drillMachine.start(plan);
    this.world = new World(plan);
  }

  take(event: DrillEvent): this {
    const before = this.drill;
    const next = drillMachine.step(before, event);
    expect(drillMachine.step(before, event)).toEqual(next);
    if (next.state === before) return this;
    this.journal.push(event);
    this.drill = next.state;
    expect(drillMachine.broken(next.state)).toEqual([]);
    const awaited = sagaOf(next.state).awaiting;
    this.late.push(...sagaOf(before).awaiting.filter(({ id }) => !awaited.some((order) => order.id === id)));
    for (const order of next.orders) this.#order(order);
    this.notes.push(...next.notes.map(({ text }) => text));
    return this;
  }

  #order(order: Order): void {
    this.orders.push(order);
    if (order.verb !== "route") return;
    const { ownBp } = order.args as { ownBp: number };
    if (ownBp === 0) {
      this.#passed = [];
      this.#asked = ["steady", ...this.plan.home.weightsBp.map((share) => `observe-${share / 100}`)];
      return;
    }
    const place = this.plan.home.weightsBp.findIndex((share) => share === ownBp);
    const needed = this.#asked.slice(0, place + 1);
    if (needed.some((name) => !this.#passed.includes(name)))
      this.world.broken.push(`${order.id} gives ${ownBp} bp after ${this.#passed.join(", ") || "nothing"}`);
  }

  result(how: Outcome): void {
    const [order] = sagaOf(this.drill).awaiting;
    if (order === undefined) return;
    const name = drillStepName(this.drill);
    if (how !== "failed") {
      // What is looked at for so long takes so long.
      this.atMs += Number(order.args["forMs"] ?? 0) * (order.verb === "freeze" ? 0 : 1);
      this.world.apply(order, this.atMs);
    }
    const of = { at: after(this.atMs), orderId: order.id, order: orderName(order) };
    const isGoingBack = sagaOf(this.drill).phase === "undoing";
    if (how === "done" && !isGoingBack && name !== null) this.#passed.push(name);
    if (how === "done") this.take({ kind: "order-done", ...of, verdicts: [] });
    else if (how === "wrong")
      this.take({ kind: "order-done", ...of, verdicts: [aVerdict("error_rate", "fail", { reason: "too many" })] });
    else this.take({ kind: "order-failed", ...of, code: "unverified", message: "nobody says so" });
  }

  tick(ms: number): void {
    this.atMs += ms;
    this.take({ kind: "tick", at: after(this.atMs) });
  }

  start(): this {
    this.take({ kind: "requested", at: after(0), by: "bob", notBefore: null });
    return this.take({ kind: "started", at: after(0) });
  }

  abort(): this {
    return this.take({ kind: "aborted", at: after(this.atMs), by: "ann", reason: "enough" });
  }

  /** Every order ends so, until a step of that name is in force or nothing more happens by itself. */
  finish(how: Outcome = "done", until: string | null = null): this {
    for (let round = 0; round < 400 && !drillMachine.isFinal(this.drill); round++) {
      if (until !== null && drillStepName(this.drill) === until) return this;
      this.result(how);
      this.tick(until === null ? 300 : 1);
    }
    return this;
  }

  get phase() {
    return phaseOf(this.drill);
  }
}

describe("the steps of a drill", () => {
  const plan = aDrillPlan();

  it("check, freeze, evacuate, promote one region, verify and observe; then come home by shares, each observed", () => {
    expect(stepsOut(plan).map(({ name }) => name)).toEqual([
      "env_parity",
      "index_hash_equal",
      "baseline",
      "spread",
      "freeze-writes",
      "evacuate",
      "adopt",
      "promote",
      "unfreeze",
      "verify",
      "observe",
    ]);
    expect(stepsHome(plan).map(({ name }) => name)).toEqual([
      "settle",
      "rebuild-follower",
      "purge-cache",
      "steady",
      ...[10, 30, 60, 100].flatMap((share) => [`restore-${share}`, `observe-${share}`]),
      "freeze-writes-home",
      "promote-home",
      "unfreeze-home",
      "contracts_equal",
    ]);
  });

  it("have hysteresis on the way home alone, and take nothing back on the way out but the freeze", () => {
    expect(stepsOut(plan).some(({ apply }) => apply.verb === "steady")).toBe(false);
    expect(stepsOut(plan).flatMap(({ name, undo }) => (undo === null ? [] : [name]))).toEqual(["freeze-writes"]);
    for (const { undo, side } of stepsHome(plan)) if (side !== null) expect(undo).not.toBeNull();
  });

  it("leave out what the plan does not ask for", () => {
    const bare = aDrillPlan({ freezesWrites: false, home: { ...plan.home, rebuild: false, purgeCache: false } });
    const names = [...stepsOut(bare), ...stepsHome(bare)].map(({ name }) => name);
    expect(names.filter((name) => /freeze|rebuild|purge/.test(name))).toEqual([]);
  });
});

describe("a drill as a machine", () => {
  it("begins when as many others as it needs have said yes, each once, and its time has come", () => {
    const strict = aDrillPlan({ permission: { ...aDrillPlan().permission, approvals: 2 } });
    const run = new Run(strict);
    run.take({ kind: "started", at: after(0) });
    run.take({ kind: "requested", at: after(0), by: "bob", notBefore: after(500) });
    for (const by of ["bob", "ann", "ann"]) run.take({ kind: "approved", at: after(1), by });
    run.take({ kind: "started", at: after(600) });
    expect([run.phase, run.drill.consent.approvedBy, run.orders]).toEqual(["pending", ["ann"], []]);
    run.take({ kind: "approved", at: after(601), by: "eve" });
    run.take({ kind: "started", at: after(499) });
    expect(run.phase).toBe("pending");
    run.take({ kind: "started", at: after(602) });
    expect(run.phase).toBe("checking");
  });

  it("leaves, is observed, comes home and has one writer all the way", () => {
    const run = new Run().start().finish();
    expect([run.phase, run.world.ownBp, run.world.writer, run.world.isFrozen]).toEqual([
      "succeeded",
      10_000,
      "us-east",
      false,
    ]);
    expect(run.world.broken).toEqual([]);
  });

  it("begins nothing when a check does not pass: no order changes anything", () => {
    const run = new Run().start();
    run.result("wrong");
    expect([run.phase, run.drill.cause?.text]).toEqual(["aborted", "env_parity failed: too many"]);
    expect(run.orders.map(({ verb }) => verb)).toEqual(["check"]);
  });

  it("lifts the freeze when it is aborted before anybody left", () => {
    const run = new Run().start().finish("done", "freeze-writes");
    run.abort().finish();
    expect([run.phase, run.world.isFrozen, run.world.ownBp]).toEqual(["aborted", false, 10_000]);
  });

  it("comes home by its checks when it is aborted away, with writes lifted first", () => {
    const run = new Run().start().finish("done", "promote").abort();
    expect(sagaOf(run.drill).awaiting[0]).toMatchObject({ verb: "unfreeze" });
    run.finish();
    expect([run.phase, run.world.ownBp, run.world.writer, run.world.isFrozen]).toEqual([
      "returned",
      10_000,
      "us-east",
      false,
    ]);
    expect(run.world.broken).toEqual([]);
  });

  it("gives the cutover up when it is not through within 30 s of the decision, and not later", () => {
    const patient = aDrillPlan({ times: { ...aDrillPlan().times, stepWithinMs: 60_000 } });
    const run = new Run(patient).start().finish("done", "freeze-writes");
    run.result("done");
    run.tick(29_000);
    expect(run.phase).toBe("leaving");
    run.tick(1_500);
    expect(run.drill.cause?.text).toBe("the cutover was not through within 30 s");
    run.finish();
    expect(run.phase).toBe("returned");
    const through = new Run().start().finish("done", "observe");
    through.tick(60_000);
    expect(through.drill.cause?.text).not.toContain("not through");
  });

  it("is evacuated again when a share on the way home fails its checks, and comes home when a person says so", () => {
    const run = new Run().start().finish("done", "observe-30");
    run.result("wrong");
    run.finish();
    expect([run.phase, run.world.ownBp, run.world.writer]).toEqual(["away", 0, "eu-west"]);
    run.take({ kind: "resumed", at: after(run.atMs), by: "ann" }).finish();
    expect([run.phase, run.world.ownBp, run.world.writer]).toEqual(["succeeded", 10_000, "us-east"]);
    expect(run.world.broken).toEqual([]);
  });

  it("goes home one way from a region with an incident: nobody is sent there again, and it has not to be equal", () => {
    const run = new Run().start().finish("done", "observe");
    run.take({ kind: "incident", at: after(run.atMs), reason: "incident in eu-west: it answers 503" });
    expect(run.drill.cause?.text).toBe("incident in eu-west: it answers 503");
    run.finish("done", "observe-60");
    run.result("wrong");
    run.finish();
    expect([run.phase, run.world.ownBp]).toEqual(["away", 6_000]);
    const well = new Run().start().finish("done", "observe");
    well.take({ kind: "incident", at: after(well.atMs), reason: "incident" }).finish();
    expect([well.phase, well.world.ownBp, well.world.writer]).toEqual(["returned", 10_000, "us-east"]);
    expect([run.world.broken, well.world.broken]).toEqual([[], []]);
  });

  it("orders nothing twice under one id over all its ways, and tokens only grow", () => {
    const run = new Run().start().finish("done", "observe-60");
    run.abort().finish();
    run.take({ kind: "resumed", at: after(run.atMs), by: "ann" }).finish();
    const ids = run.orders.map(({ id }) => id);
    expect(ids).toEqual(ids.map((_, index) => `d-1/1/${index}`));
    expect(run.orders.map(({ epoch }) => epoch)).toEqual(ids.map((_, index) => 41 + index));
  });
});

type Move = Outcome | "late" | "again" | "tick" | "wait" | "abort" | "resume";
const MOVES: readonly Move[] = ["done", "done", "done", "done", "done", "failed", "unheard", "wrong"];
const OTHERS: readonly Move[] = ["late", "again", "tick", "wait", "abort", "resume"];
const script = fc.array(fc.tuple(fc.constantFrom<Move>(...MOVES, ...MOVES, ...OTHERS), fc.nat(11)), { maxLength: 80 });

function play(moves: readonly (readonly [Move, number])[]): Run {
  const run = new Run().start();
  for (const [move, which] of moves) {
    const [lately, awaited] = [run.late[which % Math.max(1, run.late.length)], sagaOf(run.drill).awaiting[0]];
    if (move === "late" && lately !== undefined) run.world.apply(lately, run.atMs);
    else if (move === "again" && awaited !== undefined && awaited.verb !== "route") run.world.apply(awaited, run.atMs);
    else if (move === "abort") run.abort();
    else if (move === "resume") run.take({ kind: "resumed", at: after(run.atMs), by: "ann" });
    else if (move === "done" || move === "failed" || move === "unheard" || move === "wrong") run.result(move);
    else run.tick(move === "tick" ? 300 : 5_000);
  }
  return run;
}

describe("a drill in a world of failures, late orders and people", () => {
  it("never promotes a region while effects are begun, and brings users back by passed checks alone", () => {
    fc.assert(
      fc.property(script, (moves) => {
        const run = play(moves);
        for (const late of run.late.toReversed()) run.world.apply(late, run.atMs);
        expect(run.world.broken).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("ends safely after an abort from every state: nothing frozen, users in one place, and home when asked", () => {
    fc.assert(
      fc.property(script, (moves) => {
        const run = play(moves).abort().finish();
        if (run.phase === "stuck") run.abort().finish();
        expect(["succeeded", "returned", "aborted", "away"]).toContain(run.phase);
        expect(run.world.isFrozen).toBe(false);
        expect(run.world.ownBp).toBe(run.phase === "away" ? 0 : 10_000);
        if (run.phase === "away") run.take({ kind: "resumed", at: after(run.atMs), by: "ann" }).finish();
        expect(run.world.ownBp).toBe(10_000);
        expect(run.world.broken).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is what its journal folds to, killed after any entry, and goes on from there", () => {
    fc.assert(
      fc.property(script, fc.nat(60), (moves, place) => {
        const run = play(moves);
        const cut = run.journal.slice(0, place % (run.journal.length + 1));
        const folded = cut.reduce(
          (state, event) => drillMachine.step(state, event).state,
          drillMachine.start(run.plan),
        );
        const again = JSON.parse(JSON.stringify(folded)) as Drill;
        expect(again).toEqual(folded);
        const whole = run.journal
          .slice(cut.length)
          .reduce((state, event) => drillMachine.step(state, event).state, again);
        expect(whole).toEqual(run.drill);
      }),
      { numRuns: 500 },
    );
  });
});
