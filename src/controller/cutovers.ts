import type { Cutover, CutoverEvent } from "../core/cutover/machine.ts";
import { cutoverMachine } from "../core/cutover/machine.ts";
import { cacheCollisions } from "../core/cutover/cache-collision.ts";
import type { CutoverPlan } from "../core/cutover/plan.ts";
import type { Rollout } from "../core/rollout/rollout.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import { isSagaFinal } from "../core/process/saga.ts";
import { BP_NONE, epochMs } from "../core/unit.ts";
import type { OperatorAnswer, ProcessEntry } from "../ports/controller-store.ts";
import { busyWithRollout, type Refused } from "./acceptance.ts";
import type { GrantDesk } from "./grant-desk.ts";
import { cutoverOrders, type CutoverTools } from "./orders/cutover-orders.ts";
import { unreachedResource } from "./resources.ts";
import { lostStore } from "./ownership.ts";
import { ProcessActor, type ProcessTools, readStored, type Standing } from "./process-actor.ts";

type Actor = ProcessActor<CutoverPlan, Cutover, CutoverEvent>;

export type CutoversTools = CutoverTools &
  Omit<ProcessTools<CutoverPlan, Cutover>, "executors" | "orderer"> & { readonly rollouts: () => readonly Rollout[] };

/** For one conversation with each product that is cut over. */
const REACHED_WITHIN_MS = 10_000;

/** What became of a plan that moves everything at once. */
export type CutoverApplied = { readonly kind: "accepted" | "unchanged"; readonly cutover: Cutover } | Refused;

/** What decides beside the plan whether a cutover may begin. */
interface Surroundings {
  /** Holds the plan against what the service serves, and its targets against what the plan asks of them. */
  readonly fit: () => Promise<{ readonly kind: "settled"; readonly plan: RolloutPlan } | Refused>;
}

/** What a person's command came to. */
export type CutoverCommanded =
  | { readonly kind: "done" | "held"; readonly cutover: Cutover; readonly text: string }
  | { readonly kind: "superseded"; readonly reason: string }
  | { readonly kind: "unknown" };

/** Every cutover of one store, running and ended. */
export class Cutovers {
  readonly grants: GrantDesk;
  readonly #tools: CutoversTools;
  readonly #busyBeside: (service: string, id: string) => string | null;
  readonly #actors = new Map<string, Actor>();
  /** Name of what is being accepted, by service: nothing that is over may begin to go back meanwhile. */
  readonly #accepting = new Map<string, string>();

  /** @param busyBeside why a process that is over may order nothing now although no cutover runs; null when it may */
  constructor(tools: CutoversTools, busyBeside: (service: string, id: string) => string | null = () => null) {
    this.#tools = tools;
    this.#busyBeside = busyBeside;
    this.grants = tools.grants;
  }

  /** Reads the store and goes on with what a restart interrupted. @throws Error when a newer program wrote it */
  async load(): Promise<void> {
    const { store } = this.#tools;
    for (const stored of await store.processes()) {
      const state = readStored(cutoverMachine, stored);
      if (state === null) continue;
      const journalLength = (await store.processJournal(stored.processId)).length;
      const { version, createdAt } = stored;
      const actor = this.#keep({ state, version, createdAt, journalLength });
      if (!cutoverMachine.isFinal(state)) await actor.resume();
    }
  }

  all(): readonly Cutover[] {
    return [...this.#actors.values()].map(({ state }) => state);
  }

  of(id: string): Cutover | null {
    return this.#actors.get(id)?.state ?? null;
  }

  journal(id: string): Promise<readonly ProcessEntry[]> {
    return this.#tools.store.processJournal(id);
  }

  /** The cutover of a service that is not over; null when none is. */
  running(service: string): Cutover | null {
    return this.all().find((one) => one.plan.service === service && !cutoverMachine.isFinal(one)) ?? null;
  }

  /** Accepts a rollout or a cutover; nothing else of the service begins meanwhile. */
  async accepting<T>({ service, rolloutId }: RolloutPlan, work: () => Promise<T>): Promise<T> {
    this.#accepting.set(service, rolloutId);
    return work().finally(() => this.#accepting.delete(service));
  }

  /** Why a process of a service that is over may order nothing now; null when it may. */
  busy(service: string, id: string): string | null {
    const running = this.running(service)?.plan.rolloutId ?? id;
    if (running !== id) return `cutover ${running} of service ${service} runs; end it first: sluice abort ${running}`;
    const accepted = this.#accepting.get(service) ?? id;
    if (accepted !== id) return `${accepted} of service ${service} is being accepted at this moment; ask again`;
    return this.#busyBeside(service, id);
  }

  /** Why another process of this service or name may not begin; null when nothing stands in the way. */
  conflict(service: string, name: string, isCutover: boolean): Refused | null {
    const refused = (message: string): Refused => ({ kind: "refused", code: "conflict", message });
    const busy = this.running(service);
    if (busy !== null) {
      const id = busy.plan.rolloutId;
      return refused(
        `cutover ${id} of service ${service} is ${busy.saga.phase}; wait for its end: sluice status ${id}`,
      );
    }
    if (isCutover || !this.#actors.has(name)) return null;
    return refused(`${name} is the name of a cutover of service ${service}; give the rollout another name`);
  }

  /** Accepts a plan and begins it, or says why not. The same document again is no change. */
  async apply(
    asked: CutoverPlan,
    { fit }: Surroundings,
    answering?: (cutover: Cutover) => OperatorAnswer,
  ): Promise<CutoverApplied> {
    const known = this.of(asked.rolloutId);
    const isSame = known?.plan.documentDigest === asked.documentDigest && known.plan.generation === asked.generation;
    if (known !== null && isSame) return { kind: "unchanged", cutover: known };
    const blocked =
      this.conflict(asked.service, asked.rolloutId, true) ?? busyWithRollout(asked, this.#tools.rollouts());
    if (blocked !== null) return blocked;
    if ((await this.#tools.store.rollout(asked.rolloutId)) !== null) {
      const message = `${asked.rolloutId} is the name of a rollout of service ${asked.service}; give the cutover another name`;
      return { kind: "refused", code: "conflict", message };
    }
    const settled = await fit();
    if (settled.kind === "refused") return settled;
    const [collision] = asked.cutover.cache === null ? [] : cacheCollisions(asked.cutover.cache);
    if (collision !== undefined) return { kind: "refused", code: "conflict", message: collision };
    const unreached = await unreachedResource(
      asked,
      this.#tools.resources,
      this.#tools.clock.timeout(REACHED_WITHIN_MS),
    );
    if (unreached !== null) return { kind: "refused", code: "target-unreachable", message: unreached };
    return { kind: "accepted", cutover: await this.#begin({ ...settled.plan, cutover: asked.cutover }, answering) };
  }

  /** Begins an accepted plan. The answer is durable together with it. */
  async #begin(asked: CutoverPlan, answering?: (cutover: Cutover) => OperatorAnswer): Promise<Cutover> {
    const { clock, store } = this.#tools;
    const { rolloutId, service } = asked;
    const before = this.#actors.get(rolloutId);
    await this.grants.follow(service); // A token that is given now lies below those of the orders.
    const acceptedEpoch = this.#tools.ledger.current(service)?.epoch ?? 0;
    const plan = { ...asked, acceptedEpoch, cutover: { ...asked.cutover, fromEpoch: this.#highestEpoch(service) } };
    const state = cutoverMachine.start(plan);
    await before?.stop();
    const stored = (await store.processes()).find(({ processId }) => processId === rolloutId);
    const journalLength = (await store.processJournal(rolloutId)).length;
    const createdAt = epochMs(clock.wallMs());
    const standing = { state, version: stored?.version ?? 0, createdAt, journalLength };
    const actor = this.#keep(standing);
    await actor.takeInState(() => ({
      event: { kind: "started", at: createdAt },
      answer: (after) => answering?.(after),
    }));
    return actor.state;
  }

  /** Takes everything back, from wherever it stands; after its end too, while nothing later moved the service. */
  async goBack(
    id: string,
    { by, reason }: { readonly by: string; readonly reason: string },
    answering?: (cutover: Cutover, text: string) => OperatorAnswer,
  ): Promise<CutoverCommanded> {
    const actor = this.#actors.get(id);
    if (actor === undefined) return { kind: "unknown" };
    await this.grants.follow(actor.state.plan.service); // What acts now is known before what takes it back is numbered.
    let said: CutoverCommanded | null = null;
    await actor.takeInState((state) => {
      const { phase } = state.saga;
      if (phase === "returned" || phase === "undoing") {
        const text = phase === "returned" ? `${id} is back already` : `${id} goes back already`;
        said = { kind: "held", cutover: state, text };
        return null;
      }
      const later = this.#laterThan(state);
      if (later !== null) {
        said = { kind: "superseded", reason: later };
        return null;
      }
      const aboveEpoch = this.#highestEpoch(state.plan.service);
      const event: CutoverEvent = { kind: "aborted", at: epochMs(this.#tools.clock.wallMs()), by, reason, aboveEpoch };
      const answer = (after: Cutover) => {
        const text = after.saga.phase === "returned" ? `${id} had begun nothing and is over` : `${id} goes back`;
        said = { kind: "done", cutover: after, text };
        return answering?.(after, text);
      };
      return { event, answer };
    });
    if (said === null) throw lostStore(`${id}, nothing was decided`); // It takes no work any more.
    return said;
  }

  /** A look at the clock for each that runs; none waits for another, nor for the store. */
  tick(): void {
    const { log } = this.#tools;
    for (const [id, actor] of this.#actors)
      actor.tick().catch((error: unknown) => log(`${id}: tick failed, everything stays as it is: ${String(error)}`));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#actors.values()].map((actor) => actor.stop().catch(() => {})));
  }

  /** What was ordered for a service after this cutover ended, so that its way back would undo something else. */
  #laterThan({ plan, saga }: Cutover): string | null {
    if (!isSagaFinal(saga)) return null;
    const { service, rolloutId: id, acceptedEpoch = 0 } = plan;
    const pointer = this.#tools.pointers.of(service);
    if (pointer !== null && pointer.since.process !== id && pointer.epoch > acceptedEpoch)
      return `service ${service} was moved by ${pointer.since.process} after ${id}; roll that back`;
    const rollout = busyWithRollout(plan, this.#tools.rollouts());
    return rollout === null ? this.busy(service, id) : rollout.message;
  }

  #highestEpoch(service: string): number {
    const own = this.all().filter((one) => one.plan.service === service);
    return Math.max(this.grants.highestToken(service), ...own.map(({ saga }) => saga.plan.epoch + saga.nextOrderIndex));
  }

  #keep(standing: Standing<Cutover>): Actor {
    const tools = this.#tools;
    const actor: Actor = new ProcessActor(cutoverMachine, standing, {
      ...tools,
      executors: cutoverOrders(tools),
      orderer: ({ plan, pinned }) => ({ plan, pinned, candidateBp: BP_NONE }),
    });
    this.#actors.set(cutoverMachine.about(standing.state).processId, actor);
    return actor;
  }
}
