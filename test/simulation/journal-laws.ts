import type { JournalEntry } from "../../src/core/rollout/journal-entry.ts";
import { digestOf } from "../../src/plane/digest.ts";
import type { Command } from "../../src/core/rollout/event.ts";
import type { PublishOrder } from "../../src/core/rollout/order.ts";
import { isFinal, type Rollout } from "../../src/core/rollout/rollout.ts";
import { isNewer, type RoutingDocument } from "../../src/core/routing/document.ts";
import type { Change, StoredRollout } from "../../src/ports/controller-store.ts";
import type { Counting } from "./counting-law.ts";
import { HoldLaw } from "./hold-law.ts";
import type { Scenario } from "./scenario.ts";

/** Tells a broken law; the first one ends the run. */
export type Fail = (law: string, text: string) => void;

/** What is durable of one try of a rollout. */
export interface Try {
  readonly plan: Rollout["plan"];
  rollout: Rollout;
  /** When the way back was ordered last, in the world's time; null while it was not. */
  backAtMs: number | null;
  /** Once everybody may be on the candidate without a lease, no lease bounds the way back. */
  wasPromoted: boolean;
  wasPushedByPerson: boolean;
  readonly acceptedAtMs: number;
  /** Where its last entry says that it stands. */
  last: Pick<JournalEntry, "phase" | "stageIndex" | "candidateBp"> | null;
}

const isBack = ({ args }: PublishOrder) => args.closed.includes("candidate");
export const tryOf = ({ rolloutId, generation }: Rollout["plan"]) => `${rolloutId}/${generation}`;

/** What must hold of everything that becomes durable, in the order in which it does. */
export class JournalLaws {
  readonly tries = new Map<string, Try>();
  /** By `epoch.seq`. */
  readonly documents = new Map<string, string>();
  /** Newest state of each rollout. */
  readonly stored = new Map<string, StoredRollout>();
  readonly commands: string[] = [];
  /** Data planes that the controller has heard of. */
  readonly planes = new Set<string>();
  readonly #orders = new Map<string, PublishOrder>();
  readonly #lengths = new Map<string, number>();
  readonly #publishers = new Set<string>();
  readonly #fail: Fail;
  readonly #nowMs: () => number;
  readonly #scenario: Scenario;
  readonly #counting: Counting;
  readonly #holds: HoldLaw;
  #inForce: RoutingDocument | null = null;

  constructor(fail: Fail, nowMs: () => number, scenario: Scenario, counting: Counting) {
    this.#fail = fail;
    this.#nowMs = nowMs;
    this.#scenario = scenario;
    this.#counting = counting;
    this.#holds = new HoldLaw(fail, scenario);
  }

  /** The document committed last. */
  get inForce(): RoutingDocument | null {
    return this.#inForce;
  }

  /** @param livedMs when it was decided, in time that controllers have lived through */
  committed({ rollout, journal = [], published, planes = [], process }: Change, livedMs: number): void {
    for (const { planeId } of planes) this.planes.add(planeId);
    for (const order of process?.entry.orders ?? [])
      if (order.port === "traffic") this.#orders.set(order.id, order as PublishOrder);
    if (rollout !== undefined) this.#rollout(rollout.next, journal, livedMs);
    if (published !== undefined) this.#document(published.next.document, published.next.orderId);
  }

  /** Whether what a command asks for is so already, of the try that it was answered for. */
  holds(plan: Rollout["plan"], command: Command): boolean {
    const rollout = this.tries.get(tryOf(plan))?.rollout;
    if (rollout === undefined) return false;
    if (command === "pause") return rollout.paused;
    if (command === "resume") return !rollout.paused && rollout.phase !== "waiting" && !isGoingBack(rollout);
    if (command === "promote") return rollout.phase === "promoted" || rollout.phase === "promoting";
    return isGoingBack(rollout);
  }

  #rollout(next: StoredRollout, journal: readonly JournalEntry[], livedMs: number): void {
    const { rollout, observations } = next;
    const { rolloutId } = rollout.plan;
    const key = tryOf(rollout.plan);
    const before = this.stored.get(rolloutId) ?? null;
    if (before !== null && next.version !== before.version + 1)
      this.#fail("journal", `version ${next.version} of ${rolloutId} follows ${before.version}`);
    const known: Try = this.tries.get(key) ?? {
      plan: rollout.plan,
      rollout,
      backAtMs: null,
      wasPromoted: false,
      wasPushedByPerson: false,
      acceptedAtMs: this.#nowMs(),
      last: null,
    };
    const last = known.rollout;
    this.tries.set(key, known);
    for (const entry of journal) {
      this.#holds.entry(key, rollout, last, entry, livedMs);
      this.#entry(known, entry);
    }
    if (journal.length === 0 && !isSamePlace(last, rollout))
      this.#fail("journal", `${key} went from ${last.phase} to ${rollout.phase} without an entry`);
    if (known.last !== null && !isStanding(rollout, known.last))
      this.#fail("journal", `${key} is ${rollout.phase} at ${rollout.candidateBp} bp, its last entry says otherwise`);
    known.rollout = rollout;
    this.stored.set(rolloutId, next);
    if (observations.generation !== rollout.evidenceGeneration)
      this.#fail(
        "fresh evidence",
        `${key} judges try ${rollout.evidenceGeneration} by evidence of ${observations.generation}`,
      );
    this.#counting.committed(key, next);
    this.#end(known, last);
  }

  #entry(known: Try, { rolloutId, index, event, orders, phase, stageIndex, candidateBp }: JournalEntry): void {
    const length = this.#lengths.get(rolloutId) ?? 0;
    if (index !== length) this.#fail("journal", `entry ${index} of ${rolloutId} follows ${length - 1}`);
    this.#lengths.set(rolloutId, length + 1);
    if (event.kind === "commanded") {
      this.commands.push(`${rolloutId} ${event.command} ${event.reason}`);
      if (event.command === "promote") known.wasPushedByPerson = true;
    }
    known.last = { phase, stageIndex, candidateBp };
    for (const order of orders) {
      if (this.#orders.has(order.id)) this.#fail("journal", `${order.id} is ordered twice`);
      if (order.port !== "traffic") continue;
      this.#orders.set(order.id, order);
      this.#ordered(known, order, event.kind);
    }
  }

  #ordered(known: Try, order: PublishOrder, because: string): void {
    const { rollout } = known;
    const { arms, candidateBp } = order.args;
    const share = arms === "swap" ? 10_000 : candidateBp;
    if (isBack(order)) return void (known.backAtMs ??= this.#nowMs());
    if (known.backAtMs !== null) this.#fail("no way forward", `${order.id} orders ${share} bp after the way back`);
    if (rollout.paused && because !== "commanded" && share > rollout.candidateBp && rollout.phase !== "promoting")
      this.#fail("pause", `${order.id} orders ${share} bp while a person has paused it`);
    if (arms === "swap") known.wasPromoted = true;
  }

  #end(known: Try, before: Rollout): void {
    const { rollout } = known;
    if (!isFinal(rollout) || isFinal(before)) return;
    const { share } = this.#scenario.failing;
    if (rollout.phase === "promoted" && share > 0 && !known.wasPushedByPerson)
      this.#fail("harm", `${tryOf(rollout.plan)} is promoted although ${share} of its answers failed`);
  }

  #document(document: RoutingDocument, orderId: string): void {
    const number = `${document.epoch}.${document.seq}`;
    const digest = digestOf(document);
    const known = this.documents.get(number);
    if (known !== undefined && known !== digest) this.#fail("documents", `two documents have the number ${number}`);
    const inForce = this.#inForce;
    if (inForce !== null && known === undefined && !isNewer(document, inForce))
      this.#fail("documents", `${number} follows ${inForce.epoch}.${inForce.seq}`);
    if (this.#publishers.has(orderId)) this.#fail("documents", `${orderId} publishes a second time: ${number}`);
    this.#publishers.add(orderId);
    const order = this.#orders.get(orderId);
    if (order === undefined) this.#fail("documents", `${number} is published by ${orderId}, which nobody ordered`);
    else if (order.args.arms !== "swap" && order.args.candidateBp !== document.candidateBp)
      this.#fail(
        "documents",
        `${number} gives ${document.candidateBp} bp, ${orderId} ordered ${order.args.candidateBp}`,
      );
    this.documents.set(number, digest);
    this.#inForce = document;
  }
}

function isGoingBack({ phase }: Rollout): boolean {
  return phase === "rolling-back" || phase === "rolled-back" || phase === "aborted";
}

function isStanding(rollout: Rollout, entry: NonNullable<Try["last"]>): boolean {
  const { phase, stageIndex, candidateBp } = entry;
  return rollout.phase === phase && rollout.stageIndex === stageIndex && rollout.candidateBp === candidateBp;
}

function isSamePlace(a: Rollout, b: Rollout): boolean {
  return (
    a.phase === b.phase &&
    a.stageIndex === b.stageIndex &&
    a.candidateBp === b.candidateBp &&
    a.awaiting[0]?.id === b.awaiting[0]?.id &&
    a.paused === b.paused
  );
}
