import { setImmediate } from "node:timers/promises";
import type { Controller } from "../../src/controller/controller.ts";
import { isFinal } from "../../src/core/rollout/rollout.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import { type RandomStream, randomStream } from "../../src/core/stats/random.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { aManifest } from "../controller/world.ts";
import { AssignmentLaws } from "./assignment-laws.ts";
import { ControllerNode } from "./controller-node.ts";
import { Counting } from "./counting-law.ts";
import { Disk } from "./disk.ts";
import { JournalLaws, tryOf } from "./journal-laws.ts";
import { Network } from "./network.ts";
import type { NodeClock } from "./node-clock.ts";
import { plainProof } from "./plain-proof.ts";
import { Person } from "./person.ts";
import { PlaneNode } from "./plane-node.ts";
import { type Fault, type Order, type Scenario } from "./scenario.ts";
import { Trace } from "./trace.ts";
import { CutoverRun } from "./cutover-run.ts";

export interface Violation {
  readonly law: string;
  readonly text: string;
  readonly atMs: number;
}

export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly digest: string;
  readonly events: number;
  readonly decisions: number;
  readonly lastEvents: readonly string[];
  /** Where each try stood at the end. */
  readonly ends: readonly string[];
  /** What went wrong, by kind, as often as it did. */
  readonly faults: Readonly<Record<string, number>>;
  readonly virtualMs: number;
}

const APPLIED_MS = 1_000;
const STEP_MS = 250;
/** Once the faults stop, everything is over or with a person within this. @source reliability.md I20: 120 s */
const CALM_MS = 120_000;
/** And every data plane follows within this. */
const FOLLOW_MS = 10_000;
const REQUESTS_A_WINDOW = 20;
/** Everybody is on one arm then: fewer tell as much. */
const REQUESTS_BESIDE_CUTOVERS = 4;

/** Plays one scenario in virtual time, with the real controller and the real brains of data planes. */
export async function simulate(scenario: Scenario): Promise<Outcome> {
  const world = new SimulatedWorld(scenario);
  return world.run();
}

class SimulatedWorld {
  readonly #scenario: Scenario;
  readonly #trace = new Trace();
  readonly #clock = manualClock(undefined, async () => {
    await setImmediate();
    this.#afterEvent();
  });
  readonly #counting: Counting;
  readonly #journal: JournalLaws;
  readonly #assignments: AssignmentLaws;
  readonly #network: Network;
  readonly #disk: Disk;
  readonly #controller: ControllerNode;
  readonly #person: Person;
  readonly #planes: readonly PlaneNode[];
  /** Products, workers and laws of a run with cutovers; null: it has none. */
  readonly #cutovers: CutoverRun | null;
  readonly #faults: Record<string, number> = {};
  #violation: Violation | null = null;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const { service } = scenario.plan;
    const draw = (stream: number): RandomStream => randomStream((scenario.seed * 8 + stream) >>> 0);
    const nowMs = () => this.#clock.monoMs();
    const fail = (law: string, text: string) => this.#fail(law, text);
    this.#counting = new Counting(fail);
    this.#counting.isBound = scenario.orders.some(({ kind }) => kind === "override");
    this.#journal = new JournalLaws(fail, nowMs, scenario, this.#counting);
    this.#assignments = new AssignmentLaws(fail, nowMs, this.#journal);
    this.#network = new Network(this.#clock, draw(1), scenario.noise);
    this.#disk = new Disk(
      draw(2),
      () => this.#controller.livedMs(),
      (change, livedMs) => {
        this.#journal.committed(change, livedMs);
        this.#cutovers?.committed(change, livedMs);
        for (const { event, phase } of change.journal ?? []) this.#note(`journal ${event.kind} -> ${phase}`);
        const document = change.published?.next.document;
        if (document !== undefined) this.#note(`commits ${numberOf(document)} at ${document.candidateBp} bp`);
      },
    );
    const proof = plainProof("this world");
    this.#cutovers =
      scenario.cutover === null
        ? null
        : new CutoverRun(scenario, scenario.cutover, {
            clock: this.#clock,
            network: this.#network,
            disk: this.#disk,
            journal: this.#journal,
            random: draw(5),
            fail,
            note: (text) => this.#note(text),
            node: () => this.#controller,
          });
    const common = { clock: this.#clock, proof, service };
    this.#controller = new ControllerNode({
      ...common,
      disk: this.#disk,
      random: draw(3),
      health: (url) => this.#cutovers?.health(url) ?? aManifest(),
      products: this.#cutovers?.products ?? null,
      note: (text) => this.#note(text),
      published: (document) => this.#publish(document),
      opened: (controller) => this.#opened(controller),
    });
    this.#person = new Person({
      clock: this.#clock,
      plan: scenario.plan,
      journal: this.#journal,
      fail,
      note: (text) => this.#note(text),
      controller: () => this.#controller.controller,
    });
    const failures = draw(4);
    const { share, fromBp } = scenario.failing;
    const watch = this.#watch();
    const controller = this.#controller;
    this.#planes = scenario.planes.map(
      (id) =>
        new PlaneNode(id, {
          ...common,
          network: this.#network,
          controller,
          watch,
          requestsAWindow: scenario.cutover === null ? REQUESTS_A_WINDOW : REQUESTS_BESIDE_CUTOVERS,
          hasFailed: ({ candidateBp }) => candidateBp >= fromBp && failures() < share,
        }),
    );
  }

  async run(): Promise<Outcome> {
    const { orders, faults, untilMs } = this.#scenario;
    await this.#cutovers?.begin();
    void this.#controller.start();
    for (const plane of this.#planes) plane.start();
    void this.#at(APPLIED_MS, () => this.#cutovers?.follow() ?? this.#person.apply());
    for (const fault of faults) void this.#at(fault.atMs, () => this.#happen(fault));
    for (const order of orders) void this.#at(order.atMs, () => this.#order(order));
    await this.#advance(untilMs, () => false);
    this.#heal();
    await this.#advance(CALM_MS, () => this.#isCalm());
    if (!this.#isCalm()) this.#fail("ends", `after ${CALM_MS} ms without faults: ${this.#ends().join(", ")}`);
    await this.#advance(FOLLOW_MS, () => this.#strays().length === 0);
    for (const stray of this.#strays()) this.#fail("follows", stray);
    await this.#cutovers?.finish((ms, isOver) => this.#advance(ms, isOver));
    this.#cutovers?.stop();
    for (const plane of this.#planes) plane.stop();
    this.#controller.stop();
    return this.#outcome();
  }

  async #advance(ms: number, isOver: () => boolean): Promise<void> {
    const untilMs = this.#clock.monoMs() + ms;
    while (this.#violation === null && this.#clock.monoMs() < untilMs && !isOver()) await this.#clock.advance(STEP_MS);
  }

  async #at(atMs: number, act: () => void | Promise<void>): Promise<void> {
    await this.#clock.sleep(atMs);
    await act();
  }

  #note(text: string): void {
    this.#trace.note(this.#clock.monoMs(), text);
  }

  #fail(law: string, text: string): void {
    if (this.#violation !== null) return;
    this.#violation = { law, text, atMs: this.#clock.monoMs() };
    this.#note(`VIOLATION of ${law}: ${text}`);
  }

  #watch(): ConstructorParameters<typeof PlaneNode>[1]["watch"] {
    return {
      adopted: (node, document) => {
        this.#note(`${node.gateway.gatewayId} takes ${numberOf(document)}`);
        this.#assignments.adopted(node, document);
      },
      decided: (node, unit, route) => {
        this.#assignments.decided(node, unit, route);
        this.#cutovers?.decided(unit, route);
      },
      cut: (_, window) => {
        const { gatewayId, seq, arms } = window;
        this.#note(`${gatewayId} window ${seq} ${arms.stable.requestsAll}:${arms.candidate.requestsAll}`);
        this.#counting.cut(window);
      },
      acknowledged: (gatewayId, seq, sentAtMs) => {
        const running = [...this.#journal.tries.values()].find(({ rollout }) => !isFinal(rollout));
        if (running === undefined || sentAtMs < running.acceptedAtMs) return; // It took in what came before it was there.
        const stored = this.#journal.stored.get(running.plan.rolloutId);
        this.#counting.acknowledged(gatewayId, seq, tryOf(running.plan), stored);
      },
      followed: (node) => this.#assignments.followed(node),
      granted: (node, ask, grant, sentAtMs) => {
        const left = grant.ms - (node.clock.monoMs() - ask.sentMonoMs);
        this.#note(`${node.gateway.gatewayId} may serve the candidate for ${left} ms`);
        this.#assignments.granted(node, ask, grant, sentAtMs);
      },
    };
  }

  #publish(document: RoutingDocument): void {
    this.#assignments.published(document);
    const text = JSON.stringify(document);
    for (const plane of this.#planes) this.#network.send(plane.id, "down", () => void plane.hear(text));
  }

  /** What a controller goes on from is what was durable when the one before died. */
  #opened(controller: Controller): void {
    for (const [rolloutId, stored] of this.#journal.stored) {
      const found = controller.rollout(rolloutId);
      if (found === null || found.version > stored.version)
        this.#fail("restored", `${rolloutId} is ${found?.version ?? "gone"}, ${stored.version} was durable`);
    }
  }

  #afterEvent(): void {
    this.#cutovers?.check();
    const { controller } = this.#controller;
    if (controller === null) return;
    for (const [rolloutId, { version, rollout }] of this.#journal.stored) {
      const found = controller.rollout(rolloutId);
      if (found === null || found.version !== version) continue; // Its commit is under way.
      const { phase, candidateBp, awaiting } = found.rollout;
      const isSame = phase === rollout.phase && candidateBp === rollout.candidateBp;
      if (!isSame || awaiting[0]?.id !== rollout.awaiting[0]?.id)
        this.#fail("restored", `${rolloutId} is ${phase} in memory and ${rollout.phase} in the store`);
    }
  }

  #order(order: Order): void | Promise<void> {
    this.#count(order.kind);
    if (!("plane" in order)) return this.#cutovers?.order(order) ?? this.#person.order(order);
    const node = this.#planes.find(({ id }) => id === order.plane);
    node?.gateway.plane.overrideWith(order.kind === "override" ? "stable" : null);
  }

  #happen(fault: Fault): void | Promise<void> {
    this.#count(fault.kind);
    this.#note(`fault ${JSON.stringify(fault)}`);
    switch (fault.kind) {
      case "cut":
        return this.#network.cut(fault.plane, fault.ways, fault.forMs);
      case "kill":
        return this.#controller.kill(fault.point, fault.downMs);
      case "restart-plane":
        return this.#planes.find(({ id }) => id === fault.plane)?.restart(fault.downMs, fault.keeps);
      case "stand":
        return this.#clockOf(fault.node).stand(fault.forMs);
      case "suspend":
        return this.#clockOf(fault.node).suspend(fault.forMs);
      case "jump-wall":
        this.#clockOf(fault.node).wallOffsetMs += fault.byMs;
        return;
      case "store-fails":
        return this.#storeFails(fault.forMs);
      case "store-slow":
        return this.#storeSlow(fault.forMs);
      case "hinder":
        return this.#cutovers?.hinder(fault);
    }
  }

  async #storeFails(ms: number): Promise<void> {
    this.#disk.isFailing = true;
    await this.#clock.sleep(ms);
    this.#disk.isFailing = false;
  }

  async #storeSlow(ms: number): Promise<void> {
    this.#disk.delayMs = 400;
    await this.#clock.sleep(ms);
    this.#disk.delayMs = 4;
  }

  #clockOf(node: string): NodeClock {
    const plane = this.#planes.find(({ id }) => id === node);
    return plane?.clock ?? this.#cutovers?.clockOf(node) ?? this.#controller.clock;
  }

  #count(kind: string): void {
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
  }

  #heal(): void {
    this.#note("the faults stop");
    this.#network.heal();
    this.#controller.spare();
    this.#cutovers?.heal();
    // Who overrode a plane takes it back: until then a promotion waits for that person.
    for (const { gateway } of this.#planes) gateway.plane.overrideWith(null);
  }

  /** Over, or with a person. */
  #isCalm(): boolean {
    if (this.#cutovers?.isCalm === false) return false;
    const rollouts = [...this.#journal.stored.values()];
    return (
      rollouts.length > (this.#cutovers === null ? 0 : -1) &&
      rollouts.every(({ rollout }) => isFinal(rollout) || rollout.phase === "waiting" || rollout.paused)
    );
  }

  /** Data planes that do not route by the document in force. */
  #strays(): readonly string[] {
    const { inForce } = this.#journal;
    if (inForce === null) return [];
    return this.#planes.flatMap(({ id, gateway }) => {
      const { epoch, seq } = gateway.epochSeq;
      const isThere = epoch === inForce.epoch && seq === inForce.seq;
      return isThere ? [] : [`${id} routes by ${epoch}.${seq}, ${numberOf(inForce)} is in force`];
    });
  }

  #ends(): readonly string[] {
    const cutovers = this.#cutovers?.ends ?? [];
    return [...[...this.#journal.tries].map(([key, { rollout }]) => `${key} ${rollout.phase}`), ...cutovers];
  }

  #outcome(): Outcome {
    const { lost, doubled, late } = this.#network.counts;
    for (const [where, times] of this.#controller.deaths) this.#faults[`dies: ${where}`] = times;
    return {
      seed: this.#scenario.seed,
      violation: this.#violation,
      digest: this.#trace.digest(),
      events: this.#trace.count,
      decisions: this.#assignments.decisions,
      lastEvents: this.#trace.last,
      ends: this.#ends(),
      faults: { ...this.#faults, "message lost": lost, "message doubled": doubled, "message late": late },
      virtualMs: this.#clock.monoMs(),
    };
  }
}

function numberOf({ epoch, seq }: RoutingDocument): string {
  return `${epoch}.${seq}`;
}
