import { CONTRACT_FIELDS } from "../core/drill/compare.ts";
import {
  type Drill,
  type DrillEvent,
  drillMachine,
  isFaultHeld,
  mayBegin,
  phaseOf,
  sagaOf,
} from "../core/drill/machine.ts";
import { type DrillInForce, type DrillPlan, regionOf } from "../core/drill/plan.ts";
import { manifestDifferences } from "../core/release/manifest.ts";
import { BP_ALL, BP_NONE, type EpochMs, epochMs } from "../core/unit.ts";
import type { OperatorAnswer, ProcessEntry } from "../ports/controller-store.ts";
import { nextTime, openWindow } from "../spec/cron.ts";
import type { Refused } from "./acceptance.ts";
import { drillOrders } from "./orders/drill-orders.ts";
import { renewFault } from "./orders/region-faults.ts";
import type { DrillTools } from "./orders/drill-tools.ts";
import { ProcessActor, type ProcessTools, readStored, type Standing } from "./process-actor.ts";

type Actor = ProcessActor<DrillInForce, Drill, DrillEvent>;

export type DrillsTools = DrillTools & Omit<ProcessTools<DrillInForce, Drill>, "executors" | "orderer">;

/** Looks at which the region that serves was not fit, one after another, until the drill yields. */
const UNFIT_LOOKS = 2;
/** How often it is looked whether it is, and for how long one look may take. */
const WATCH_MS = 500;
const LOOK_MS = 400;

/** What became of a plan. */
export type DrillApplied = { readonly kind: "accepted" | "unchanged"; readonly drill: Drill } | Refused;

/** What a person's word came to. */
export type DrillCommanded =
  | { readonly kind: "done" | "held"; readonly drill: Drill; readonly text: string }
  | { readonly kind: "unknown" };

/** A person, and what was said. */
interface Word {
  readonly by: string;
  readonly reason: string;
}

type Answering = (drill: Drill, text: string) => OperatorAnswer;

/** Every drill of one store, running and ended. */
export class Drills {
  readonly #tools: DrillsTools;
  readonly #actors = new Map<string, Actor>();
  /** Looks without a fit region, by drill. */
  readonly #unfit = new Map<string, number>();
  /** Why another process of a service stands in the way; null when none does. */
  readonly #busy: (service: string) => string | null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(tools: DrillsTools, busy: (service: string) => string | null) {
    this.#tools = tools;
    this.#busy = busy;
  }

  /** Reads the store and goes on with what a restart interrupted. @throws Error when a newer program wrote it */
  async load(): Promise<void> {
    const { store } = this.#tools;
    for (const stored of await store.processes()) {
      const state = readStored(drillMachine, stored);
      if (state === null) continue;
      const journalLength = (await store.processJournal(stored.processId)).length;
      const { version, createdAt } = stored;
      const actor = this.#keep({ state, version, createdAt, journalLength });
      if (!drillMachine.isFinal(state) && state.out.phase !== "pending") await actor.resume();
    }
  }

  all(): readonly Drill[] {
    return [...this.#actors.values()].map(({ state }) => state);
  }

  of(id: string): Drill | null {
    return this.#actors.get(id)?.state ?? null;
  }

  journal(id: string): Promise<readonly ProcessEntry[]> {
    return this.#tools.store.processJournal(id);
  }

  /** Why another process of this service or name may not begin; null when nothing stands in the way. */
  conflict(service: string, name: string): Refused | null {
    const refused = (message: string): Refused => ({ kind: "refused", code: "conflict", message });
    if (this.#actors.has(name)) return refused(`${name} is the name of a drill; give this another name`);
    const moving = this.all().find((one) => one.plan.service === service && isMoving(one));
    if (moving !== undefined) {
      const id = moving.plan.drillId;
      const advice = `wait for its end, or end it: sluice drill abort ${id}`;
      return refused(`drill ${id} of service ${service} is ${phaseOf(moving)}; ${advice}`);
    }
    const away = (this.#tools.regionsOf(service) ?? []).find(({ ownBp }) => ownBp < BP_ALL);
    if (away === undefined) return null;
    const id = this.all().findLast((one) => one.plan.service === service)?.plan.drillId ?? "NAME";
    const advice = `bring it home first: sluice drill home ${id}`;
    return refused(`region ${away.name} of service ${service} is evacuated; ${advice}`);
  }

  /** Accepts a plan and begins it as soon as it may, or says why not. The same document again is no change. */
  async apply(asked: DrillPlan, by: string, answering?: (drill: Drill) => OperatorAnswer): Promise<DrillApplied> {
    const known = this.of(asked.drillId);
    if (known?.plan.documentDigest === asked.documentDigest && known.plan.generation === asked.generation)
      return { kind: "unchanged", drill: known };
    const refused = await this.#refusal(asked, known);
    if (refused !== null) return { kind: "refused", code: "conflict", message: refused };
    const now = this.#now();
    const notBefore = asked.permission.schedule === null ? null : nextTime(asked.permission.schedule, now);
    await this.#tools.grants.follow(asked.service); // So that tokens of its orders lie above that one.
    const plan = { ...asked, fromEpoch: this.#highestEpoch(asked.service) };
    const drill = await this.#begin(plan, by, notBefore === null ? null : epochMs(notBefore), answering);
    await this.#startIfItMay(drill.plan.drillId);
    return { kind: "accepted", drill: this.of(drill.plan.drillId) ?? drill };
  }

  /** Why a plan is not even waited with; null when it may be accepted. */
  async #refusal(plan: DrillPlan, known: Drill | null): Promise<string | null> {
    const { drillId: id, service, permission } = plan;
    if (known !== null && !drillMachine.isFinal(known)) {
      return `drill ${id} is ${phaseOf(known)} with another document; wait for its end, or sluice drill abort ${id}`;
    }
    const other = this.all().find((one) => one.plan.service === service && isMoving(one));
    if (other !== undefined) return `drill ${other.plan.drillId} of service ${service} is ${phaseOf(other)}`;
    const away = (this.#tools.regionsOf(service) ?? []).find(({ ownBp }) => ownBp < BP_ALL);
    if (away !== undefined) return `region ${away.name} of service ${service} is out of service already`;
    if (this.#tools.ledger.current(service) === null) {
      return `service ${service} has no routing document yet; its first rollout or cutover makes one`;
    }
    if (await this.#isOtherProcess(id)) return `${id} is the name of a cutover or rollout; give the drill another name`;
    const busy = this.#busy(service);
    if (busy !== null) return busy;
    const now = this.#now();
    const open = permission.schedule === null ? openWindow(permission.freezeWindows, now) : null;
    return open === null ? null : `nothing may begin before ${new Date(open).toISOString()}: a freeze window is open`;
  }

  async #isOtherProcess(id: string): Promise<boolean> {
    const { store } = this.#tools;
    if ((await store.rollout(id)) !== null) return true;
    return (await store.processes()).some(({ processId, kind }) => processId === id && kind !== drillMachine.kind);
  }

  async #begin(
    plan: DrillPlan,
    by: string,
    notBefore: EpochMs | null,
    answering?: (drill: Drill) => OperatorAnswer,
  ): Promise<Drill> {
    const { store } = this.#tools;
    const { drillId } = plan;
    await this.#actors.get(drillId)?.stop();
    const stored = (await store.processes()).find(({ processId }) => processId === drillId);
    const journalLength = (await store.processJournal(drillId)).length;
    const createdAt = this.#now();
    const state = drillMachine.start(plan);
    const actor = this.#keep({ state, version: stored?.version ?? 0, createdAt, journalLength });
    await actor.takeInState(() => ({
      event: { kind: "requested", at: createdAt, by, notBefore },
      answer: (after) => answering?.(after),
    }));
    return actor.state;
  }

  /** Ends it: before anybody left at once, after that home by its checks, on the way home where it is evacuated. */
  abort(id: string, { by, reason }: Word, answering?: Answering): Promise<DrillCommanded> {
    return this.#command(id, answering, (drill) => {
      if (drillMachine.isFinal(drill) && phaseOf(drill) !== "stuck") return `${id} is ${phaseOf(drill)} already`;
      if (sagaOf(drill).phase === "undoing") return `${id} is being ended already`;
      return { kind: "aborted", at: this.#now(), by, reason };
    });
  }

  /** A region that stayed evacuated tries its way home again. */
  home(id: string, { by }: Word, answering?: Answering): Promise<DrillCommanded> {
    return this.#command(id, answering, (drill) => {
      if (phaseOf(drill) === "away") return { kind: "resumed", at: this.#now(), by };
      return drillMachine.isFinal(drill) ? `${drill.plan.evacuate} is home already` : `${id} is ${phaseOf(drill)}`;
    });
  }

  /** A person says yes. The one who asked for it does not count. */
  async approve(id: string, { by }: Word, answering?: Answering): Promise<DrillCommanded> {
    const said = await this.#command(id, answering, (drill) => {
      if (drill.out.phase !== "pending") return `${id} is ${phaseOf(drill)}, nobody has to say yes any more`;
      if (drill.consent.by === by) return `${by} asked for ${id}; somebody else has to say yes`;
      if (drill.consent.approvedBy.includes(by)) return `${by} has said yes already`;
      return { kind: "approved", at: this.#now(), by };
    });
    await this.#startIfItMay(id);
    return said;
  }

  /** A look at the clock for each that runs; none waits for another, nor for the store. */
  tick(): void {
    const { log, clock } = this.#tools;
    const isLook = clock.monoMs() - this.#lookedAtMs >= WATCH_MS;
    if (isLook) this.#lookedAtMs = clock.monoMs();
    for (const [id, actor] of this.#actors) {
      const { state } = actor;
      if (drillMachine.isFinal(state)) continue;
      const work = state.out.phase === "pending" ? this.#startIfItMay(id) : actor.tick();
      const failed = (error: unknown) => log(`${id}: tick failed, everything stays as it is: ${String(error)}`);
      work.catch(failed);
      if (isLook) this.#watch(id, actor).catch(failed);
      // One that cannot be renewed ends by itself, so nothing hangs on this being heard.
      if (isLook && isFaultHeld(state)) {
        const said = renewFault(this.#tools, state.plan, clock.timeout(LOOK_MS));
        said.catch((error: unknown) => log(`${id}: its fault was not renewed: ${String(error)}`));
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#actors.values()].map((actor) => actor.stop().catch(() => {})));
  }

  async #command(
    id: string,
    answering: Answering | undefined,
    eventOf: (drill: Drill) => DrillEvent | string,
  ): Promise<DrillCommanded> {
    const actor = this.#actors.get(id);
    if (actor === undefined) return { kind: "unknown" };
    let said: DrillCommanded = { kind: "held", drill: actor.state, text: "" };
    await actor.takeInState((state) => {
      const event = eventOf(state);
      if (typeof event === "string") {
        said = { kind: "held", drill: state, text: event };
        return null;
      }
      const answer = (after: Drill) => {
        const text = `${id} is ${phaseOf(after)}`;
        said = { kind: "done", drill: after, text };
        return answering?.(after, text);
      };
      return { event, answer };
    });
    return said;
  }

  async #startIfItMay(id: string): Promise<void> {
    const actor = this.#actors.get(id);
    if (actor === undefined || actor.state.out.phase !== "pending") return;
    const { plan } = actor.state;
    const now = this.#now();
    if (!mayBegin(actor.state, now) || openWindow(plan.permission.freezeWindows, now) !== null) return;
    if (this.#busy(plan.service) !== null) return; // It waits: whatever else moves the service is more important.
    await actor.take({ kind: "started", at: now });
  }

  /** While users are with the region that took over, an incident there is real: the drill yields. @source I25 */
  async #watch(id: string, actor: Actor): Promise<void> {
    const { plan, pinned, home, evacuatedAt } = actor.state;
    if (home !== null || evacuatedAt === null || pinned === null) return void this.#unfit.delete(id);
    const { health, clock } = this.#tools;
    const answer = await health.read(regionOf(plan, plan.survivor).healthUrl, clock.timeout(LOOK_MS));
    const differs =
      answer.kind === "read" ? manifestDifferences(answer.manifest, pinned.candidate, CONTRACT_FIELDS)[0] : undefined;
    if (answer.kind === "read" && differs === undefined) return void this.#unfit.delete(id);
    const looks = (this.#unfit.get(id) ?? 0) + 1;
    this.#unfit.set(id, looks);
    if (looks < UNFIT_LOOKS) return;
    const why = answer.kind === "read" ? `${differs?.field} is ${differs?.left} there` : answer.reason;
    await actor.take({ kind: "incident", at: this.#now(), reason: `incident in ${plan.survivor}: ${why}` });
  }

  #highestEpoch(service: string): number {
    const own = this.all().filter((one) => one.plan.service === service);
    const last = own.map((one) => one.plan.fromEpoch + sagaOf(one).nextOrderIndex);
    return Math.max(this.#tools.grants.highestToken(service), ...last);
  }

  #keep(standing: Standing<Drill>): Actor {
    const tools = this.#tools;
    const actor: Actor = new ProcessActor<DrillInForce, Drill, DrillEvent>(drillMachine, standing, {
      ...tools,
      executors: drillOrders(tools),
      orderer: ({ plan, pinned, baseline }) => ({ plan: { ...plan, baseline }, pinned, candidateBp: BP_NONE }),
    });
    this.#actors.set(standing.state.plan.drillId, actor);
    return actor;
  }

  #now(): EpochMs {
    return epochMs(this.#tools.clock.wallMs());
  }
}

/** Whether it orders traffic, or may at any moment. One that waits for a person or its time does not yet. */
function isMoving(drill: Drill): boolean {
  return !drillMachine.isFinal(drill) && drill.out.phase !== "pending";
}
