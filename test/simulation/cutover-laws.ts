import { type Cutover, type CutoverEvent, cutoverMachine } from "../../src/core/cutover/machine.ts";
import { isSagaFinal, stillOut } from "../../src/core/process/saga.ts";
import type { ServingArm } from "../../src/core/arm.ts";
import type { Order } from "../../src/core/process/order.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import type { Change, ProcessEntry } from "../../src/ports/controller-store.ts";
import type { EffectLaws } from "./effect-laws.ts";
import type { Fail } from "./journal-laws.ts";
import type { Products } from "./products.ts";

/** What is durable of one cutover. */
export interface Kept {
  state: Cutover;
  entries: number;
  /** When the step in force was first ordered, in the world's time. */
  orderedAtMs: number;
  /** When its hold began, in time that controllers have lived through. */
  heldSinceLivedMs: number | null;
  /** Place of the first step back; null on the way out. */
  backFrom: number | null;
  /** Places of steps whose way back is ordered, the last one ordered last. */
  readonly back: number[];
  /** Nobody has moved anything of the service since. */
  isLast: boolean;
}

export interface CutoverWorld {
  readonly fail: Fail;
  readonly products: Products;
  readonly effects: EffectLaws;
  nowMs(): number;
  inForce(): RoutingDocument | null;
}

/** What must hold of every cutover, in the order in which it becomes durable. */
export class CutoverLaws {
  readonly kept = new Map<string, Kept>();
  readonly aborted = new Set<string>();
  readonly #world: CutoverWorld;
  readonly #ids = new Set<string>();
  #epochs = new Set<number>();

  constructor(world: CutoverWorld) {
    this.#world = world;
  }

  isOrdered(epoch: number): boolean {
    return this.#epochs.has(epoch);
  }

  /** @param livedMs when it was decided, in time that controllers have lived through */
  committed({ process }: Change, livedMs: number): void {
    if (process === undefined || process.next.kind !== "cutover") return;
    const { next, entry } = process;
    const id = next.processId;
    const after = next.state as unknown as Cutover;
    const known = this.kept.get(id);
    const isNew = known === undefined || known.state.plan.generation !== after.plan.generation;
    const before = isNew ? cutoverMachine.start(after.plan) : known.state;
    const kept: Kept = isNew ? this.#begun(before, known?.entries ?? 0) : known;
    for (const other of this.kept.values()) other.isLast = false;
    kept.isLast = true;
    this.kept.set(id, kept);
    this.#journal(kept, entry, before, after);
    this.#way(kept, entry, before, after);
    this.#hold(kept, before, after, livedMs);
    kept.state = after;
    this.#ends(kept, before);
  }

  /** Effects must not be begun now: frozen, as far as this is durable and has not lifted itself. */
  isFrozen(): boolean {
    const { grant, saidAtMs } = this.#world.effects;
    const until = grant?.frozenUntil ?? null;
    const isLifted = grant === null || until === null || this.#world.nowMs() - saidAtMs >= until - grant.at;
    return [...this.kept.values()].some(({ state }) => {
      const { saga } = state;
      const place = saga.plan.steps.findIndex(({ name }) => name === "freeze-writes");
      const isOut = saga.phase === "applying" && place >= 0 && saga.at > place;
      return isOut && !isLifted;
    });
  }

  #begun(state: Cutover, entries: number): Kept {
    const since = { orderedAtMs: 0, heldSinceLivedMs: null, backFrom: null };
    return { state, entries, ...since, back: [], isLast: true };
  }

  #journal(kept: Kept, { index, event, orders, processId }: ProcessEntry, before: Cutover, after: Cutover): void {
    const { fail } = this.#world;
    if (index !== kept.entries) fail("journal", `entry ${index} of ${processId} follows ${kept.entries - 1}`);
    kept.entries = index + 1;
    const folded = cutoverMachine.step(before, event as unknown as CutoverEvent);
    if (JSON.stringify(folded.state) !== JSON.stringify(after))
      fail("fold", `${processId} is ${after.saga.phase} at ${after.saga.at}, its journal folds to another state`);
    for (const { id, epoch } of orders) {
      if (this.#ids.has(id)) fail("journal", `${id} is ordered twice`);
      this.#ids.add(id);
      if (epoch === undefined || this.#epochs.has(epoch)) fail("tokens", `${id} has token ${epoch}, as one before it`);
      else this.#epochs.add(epoch);
    }
    if ((event as { kind?: string }).kind === "aborted") this.aborted.add(`${processId} ${reasonOf(event)}`);
  }

  /** Out one step after the other; back from the last one that was begun, each step, and never forward again. */
  #way(kept: Kept, { orders }: ProcessEntry, before: Cutover, after: Cutover): void {
    const { fail } = this.#world;
    const { steps } = after.saga.plan;
    this.#left(kept, before, after);
    if (after.saga.phase === "undoing") kept.backFrom ??= before.saga.at;
    if (kept.backFrom === null) return;
    for (const order of orders) {
      const { at } = after.saga;
      const undo = steps[at]?.undo ?? null;
      if (undo === null || !isTask(order, undo) || at > (kept.back.at(-1) ?? kept.backFrom))
        fail("no way forward", `${order.id} orders ${order.port}.${order.verb} on the way back, at step ${at}`);
      kept.back.push(at);
    }
    if (after.saga.phase !== "undoing" && after.saga.phase !== "returned" && after.saga.phase !== "stuck")
      fail("no way forward", `${after.plan.rolloutId} is ${after.saga.phase} after its way back began`);
  }

  /** A step that is read back is so: nothing from before it is queued, or cached, any more. */
  #left(kept: Kept, { saga: before }: Cutover, { saga: after, plan }: Cutover): void {
    const { fail, nowMs, effects, products } = this.#world;
    const isSame = after.at === before.at && before.phase !== "pending" && isBack(after) === isBack(before);
    if (isSame && !isSagaFinal(after)) return;
    const name = before.phase === "pending" || before.phase === "holding" ? null : before.plan.steps[before.at]?.name;
    const isDone = isBack(before) ? after.phase !== "stuck" : !isBack(after) && after.phase !== "returned";
    const fromMs = kept.orderedAtMs;
    if (!isSame) kept.orderedAtMs = nowMs();
    if (!isDone) return;
    const [undone] = name === "drain-queue" && !isBack(before) ? effects.undoneBefore(fromMs) : [];
    if (undone !== undefined) fail("drain", `the queue is said to be drained, "${undone}" from before is not done`);
    const purged = name === "purge-cache" ? "stable" : name === "clear-cache" ? "candidate" : null;
    if (purged === null || (isBack(before) && purged === "stable")) return;
    const [cached] = products.cachedBefore(plan.arms[purged].releaseId, fromMs);
    if (cached !== undefined) fail("purge", `${purged} is said to be purged, "${cached}" from before is still cached`);
  }

  #hold(kept: Kept, before: Cutover, after: Cutover, livedMs: number): void {
    if (after.saga.phase === "holding" && before.saga.phase !== "holding") kept.heldSinceLivedMs = livedMs;
    if (after.saga.phase !== "done" || kept.heldSinceLivedMs === null) return;
    const heldMs = livedMs - kept.heldSinceLivedMs;
    const { holdMs } = after.plan.cutover;
    if (heldMs < holdMs - 1)
      this.#world.fail("hold", `${after.plan.rolloutId} held stable for ${heldMs} of ${holdMs} ms`);
  }

  /** Whole on one side, or it says what is missing; every step that was begun is taken back, from the last one. */
  #ends(kept: Kept, before: Cutover): void {
    const { state, backFrom, back } = kept;
    const { saga, plan } = state;
    const { phase } = saga;
    if (phase === before.saga.phase) return;
    if (phase === "done")
      return this.#side(
        state,
        "candidate",
        saga.plan.steps.map(({ name }) => name),
      );
    const out = stillOut(saga);
    if (phase === "stuck" && !out.every((name) => saga.cause?.text.includes(name)))
      this.#world.fail("stuck", `${plan.rolloutId} is stuck, and its cause does not name ${out.join(", ")}`);
    if (phase !== "returned" && phase !== "stuck") return;
    const begun = saga.plan.steps.slice(0, (backFrom ?? -1) + 1);
    const owed = begun.flatMap(({ undo }, place) =>
      undo === null || (phase === "stuck" && place < saga.at) ? [] : [place],
    );
    const missing = owed.find((place) => !back.includes(place));
    if (missing !== undefined)
      this.#world.fail("taken back", `${begun[missing]?.name} of ${plan.rolloutId} was begun and is not taken back`);
    const names = saga.plan.steps.map(({ name }) => name);
    this.#side(state, "stable", phase === "returned" ? names : names.filter((name) => !out.includes(name)));
  }

  /** Everything of these steps is on one side, by what the products themselves say. */
  #side({ plan }: Cutover, arm: ServingArm, steps: readonly string[]): void {
    const { products, effects, fail, inForce } = this.#world;
    const { index, queue } = plan.cutover;
    const { releaseId } = plan.arms[arm];
    const told: readonly (readonly [step: string, found: string | null | undefined, expected: string | null])[] = [
      ["swap-index", products.indexes.aliases.get(index?.alias ?? "")?.index, index?.index[arm] ?? null],
      ["move-consumers", products.pointer?.consumer, queue?.consumer[arm] ?? null],
      ["move-consumers", products.pointer?.phase, "acting"],
      ["switch-producers", products.pointer?.producersTo, queue?.queue[arm] ?? null],
      ["flip-traffic", inForce()?.arms.stable.releaseId, releaseId],
      ["move-effects", effects.grant?.holder, releaseId],
      [
        arm === "stable" ? "freeze-writes" : "unfreeze",
        effects.grant === null || effects.grant.frozenUntil === null ? "acting" : "frozen",
        "acting",
      ],
    ];
    for (const [step, found, expected] of told) {
      // What was never moved is where it was, and nothing says so.
      if (!steps.includes(step) || (arm === "stable" && found == null)) continue;
      if ((found ?? "none") !== expected)
        fail("one side", `${plan.rolloutId} ends on ${arm}, and of ${step} is found ${found}, expected ${expected}`);
    }
  }
}

const isBack = ({ phase }: Cutover["saga"]) => phase === "undoing";

function isTask({ port, verb, args }: Order, task: { port: string; verb: string; args: unknown }): boolean {
  return port === task.port && verb === task.verb && JSON.stringify(args) === JSON.stringify(task.args);
}

function reasonOf(event: unknown): string {
  return (event as { reason?: string }).reason ?? "";
}
