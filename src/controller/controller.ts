import { SERVING_ARMS } from "../core/arm.ts";
import type { Command, RolloutEvent } from "../core/rollout/event.ts";
import { refusal } from "../core/rollout/command.ts";
import { isFinal, newRollout, type Rollout } from "../core/rollout/rollout.ts";
import { HOURS_OF_HISTORY } from "../core/stage/peak-rate.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import { epochMs } from "../core/unit.ts";
import type { ErrorClass, TelemetryWindow } from "../core/window/window.ts";
import type { ControllerStore, JournalEntry, StoredAnswer, StoredRollout } from "../ports/controller-store.ts";
import type { LiveGateway } from "../ports/gateway-hub.ts";
import { withTimeout } from "../ports/clock.ts";
import { DocumentLedger } from "./document-ledger.ts";
import { EventFeed } from "./event-feed.ts";
import { GatewayRegistry } from "./gateway-registry.ts";
import { HourlyRates } from "./hourly-rates.ts";
import { KnownClassesByService } from "./known-classes.ts";
import { startObservations } from "./observe.ts";
import { type ActorTools, RolloutActor } from "./rollout-actor.ts";

export type ControllerOptions = Omit<ActorTools, "ledger" | "feed"> & {
  /** Made by the caller, because the gateway traffic driver is made from it. */
  readonly hub: GatewayRegistry;
};

/** Why a plan was not accepted; the code is the problem's `type` and decides the exit code. */
export interface Refused {
  readonly kind: "refused";
  readonly code: "conflict" | "generation" | "no-gateway" | "target-unreachable" | "unknown-driver";
  readonly message: string;
}

export type Applied = { readonly kind: "accepted" | "unchanged"; readonly rollout: Rollout } | Refused;
export type Commanded =
  | { readonly kind: "done"; readonly rollout: Rollout }
  | { readonly kind: "unknown" }
  | { readonly kind: "no-effect"; readonly reason: string };
export type Answering = (rollout: Rollout) => StoredAnswer;

const TICK_MS = 250;
const PREFLIGHT_MS = 5_000;
const HOUR_MS = 3_600_000;
const STORE_HOURS_MS = 60_000;
/** Event ids begin at the time of the start times this: no process tells more events in a millisecond. */
const EVENTS_PER_MS = 1_000;

/** Carries out all rollouts of one store. There is one controller a store; the host's lock sees to that. */
export class Controller {
  readonly feed: EventFeed;
  readonly hub: GatewayRegistry;
  readonly #tools: ActorTools;
  readonly #actors = new Map<string, RolloutActor>();
  readonly #known = new KnownClassesByService();
  readonly #hours: HourlyRates;
  #hoursStoredAtMonoMs = Number.NEGATIVE_INFINITY;
  readonly #stopped = new AbortController();
  /** Applies go one after another: two at once could both find a service free. */
  #applying: Promise<unknown> = Promise.resolve();
  #ticking: Promise<void> = Promise.resolve();

  private constructor(options: ControllerOptions, ledger: DocumentLedger, hours: HourlyRates) {
    this.#hours = hours;
    this.hub = options.hub;
    this.feed = new EventFeed(options.clock.wallMs() * EVENTS_PER_MS);
    this.#tools = { ...options, ledger, feed: this.feed };
  }

  /** Reads the store, continues what a restart interrupted and begins to tick. */
  static async open(options: ControllerOptions): Promise<Controller> {
    const ledger = new DocumentLedger(options.store, options.clock);
    const sinceHour = Math.floor(options.clock.wallMs() / HOUR_MS) - HOURS_OF_HISTORY;
    const hours = new HourlyRates(await options.store.hours(sinceHour));
    const controller = new Controller(options, ledger, hours);
    for (const document of await ledger.load()) options.hub.publish(document);
    for (const stored of await options.store.rollouts()) await controller.#restore(stored);
    controller.#ticking = controller.#tick();
    return controller;
  }

  get store(): ControllerStore {
    return this.#tools.store;
  }

  rollouts(): readonly StoredRollout[] {
    return [...this.#actors.values()].map((actor) => actor.stored);
  }

  rollout(rolloutId: string): StoredRollout | null {
    return this.#actors.get(rolloutId)?.stored ?? null;
  }

  /** Accepts a plan, or says why not. The same document again is no change. */
  apply(plan: RolloutPlan, answering?: Answering): Promise<Applied> {
    const applied = this.#applying.then(() => this.#apply(plan, answering));
    this.#applying = applied.catch(() => {});
    return applied;
  }

  async command(
    rolloutId: string,
    command: { readonly command: Command; readonly full: boolean; readonly by: string; readonly reason: string },
    answering?: Answering,
  ): Promise<Commanded> {
    const actor = this.#actors.get(rolloutId);
    if (actor === undefined) return { kind: "unknown" };
    const reason = this.#superseded(actor.rollout) ?? refusal(actor.rollout, command.command);
    if (reason !== null) return { kind: "no-effect", reason };
    const event: RolloutEvent = { kind: "commanded", at: epochMs(this.#tools.clock.wallMs()), ...command };
    await actor.take(event, answering);
    return { kind: "done", rollout: actor.rollout };
  }

  /**
   * Takes a report in. Resolves when its windows are durable and what they decided is ordered. `adopted` is null for a
   * service that counts and routes nothing: it knows no document, so its windows count for the one in force.
   */
  async ingest(
    service: string,
    gatewayId: string,
    sent: readonly TelemetryWindow[],
    adopted: LiveGateway["adopted"] | null,
  ): Promise<void> {
    const current = adopted === null ? this.hub.current(service) : null;
    const windows =
      current === null
        ? sent
        : sent.map((window) => ({
            ...window,
            document: { epoch: current.epoch, seq: current.seq },
            candidateBp: current.candidateBp,
          }));
    if (adopted !== null) {
      this.hub.report(service, gatewayId, adopted);
      this.#hours.learn(service, windows);
    }
    this.#known.learn(service, windows, this.#tools.clock.monoMs());
    const actor = [...this.#actors.values()].find(
      ({ rollout }) => rollout.plan.service === service && !isFinal(rollout),
    );
    await actor?.ingest(windows);
  }

  journal(rolloutId: string): Promise<readonly JournalEntry[]> {
    return this.#tools.store.journal(rolloutId);
  }

  /** Stops ticking and working; everything durable stays. The store is the caller's to close. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all([
      this.#ticking,
      this.#applying.catch(() => {}),
      ...[...this.#actors.values()].map((actor) => actor.stop()),
    ]);
  }

  async #apply(plan: RolloutPlan, answering?: Answering): Promise<Applied> {
    const existing = this.#actors.get(plan.rolloutId);
    if (
      existing !== undefined &&
      existing.rollout.plan.documentDigest === plan.documentDigest &&
      !isFinal(existing.rollout)
    ) {
      return { kind: "unchanged", rollout: existing.rollout };
    }
    const { store, clock } = this.#tools;
    const refused =
      this.#conflict(plan, existing) ??
      (await withTimeout(clock, PREFLIGHT_MS, (signal) => this.#preflight(plan, signal)));
    if (refused !== null) return refused;
    const rollout = newRollout(this.#hours.withPeak(plan, clock.wallMs()));
    const classes: readonly ErrorClass[] = this.#known.of(plan.service, clock.monoMs());
    const expectedVersion = existing?.stored.version ?? null;
    const version = (expectedVersion ?? 0) + 1;
    const next = {
      rollout,
      observations: startObservations(rollout.plan, classes),
      version,
      createdAt: clock.wallMs(),
    };
    const answer = answering === undefined ? {} : { answer: answering(rollout) };
    const isStored = await store.commit({ rollout: { expectedVersion, next }, ...answer });
    if (!isStored)
      return {
        kind: "refused",
        code: "conflict",
        message: `rollout ${plan.rolloutId} changed at this moment; try again`,
      };
    await existing?.stop();
    await this.#restore(next);
    return { kind: "accepted", rollout: this.#actors.get(plan.rolloutId)?.rollout ?? rollout };
  }

  /** An ended rollout may only take back what the service still serves. */
  #superseded({ plan }: Rollout): string | null {
    const rolloutId = this.hub.current(plan.service)?.rolloutId ?? null;
    if (rolloutId === null || rolloutId === plan.rolloutId) return null;
    return `service ${plan.service} has moved on with rollout ${rolloutId}; roll that one back`;
  }

  #conflict(plan: RolloutPlan, existing: RolloutActor | undefined): Refused | null {
    const busy = [...this.#actors.values()].find(
      ({ rollout }) => rollout.plan.service === plan.service && !isFinal(rollout),
    );
    if (busy !== undefined) {
      const message = `rollout ${busy.rollout.plan.rolloutId} of service ${plan.service} is ${busy.rollout.phase}; wait for its end or abort it first`;
      return { kind: "refused", code: "conflict", message };
    }
    const generation = (existing?.rollout.plan.generation ?? 0) + 1;
    if (plan.generation === generation) return null;
    const message = `generation ${plan.generation} of ${plan.rolloutId} was given, ${generation} is next; read the rollout again and retry`;
    return { kind: "refused", code: "generation", message };
  }

  /** Nothing is accepted that could not even begin: no data plane, or a target that does not answer. */
  async #preflight(plan: RolloutPlan, signal: AbortSignal): Promise<Refused | null> {
    const driver = this.#tools.traffic[plan.driver];
    if (driver === undefined) {
      const known = Object.keys(this.#tools.traffic).join(", ");
      return {
        kind: "refused",
        code: "unknown-driver",
        message: `no traffic driver "${plan.driver}"; known: ${known}`,
      };
    }
    const missing = await driver.check(plan.service, signal);
    if (missing !== null) return { kind: "refused", code: "no-gateway", message: missing };
    for (const arm of SERVING_ARMS) {
      const { healthUrl } = plan.arms[arm];
      if (healthUrl === null) continue;
      const answer = await this.#tools.health.read(healthUrl, signal);
      if (answer.kind === "read") continue;
      const advice = "start the service, correct its health address, or write `health: null` when it has none";
      return {
        kind: "refused",
        code: "target-unreachable",
        message: `${arm} is not ready at ${healthUrl}: ${answer.reason}; ${advice}`,
      };
    }
    return null;
  }

  async #restore(stored: StoredRollout): Promise<void> {
    const { rolloutId } = stored.rollout.plan;
    const journal = await this.#tools.store.journal(rolloutId);
    const actor = new RolloutActor(stored, journal.length, this.#tools);
    this.#actors.set(rolloutId, actor);
    if (!isFinal(stored.rollout)) await actor.resume();
  }

  /** Once a minute: a restart then forgets a minute of a week. */
  async #storeHours(): Promise<void> {
    const { clock, store, onFatal } = this.#tools;
    if (clock.monoMs() - this.#hoursStoredAtMonoMs < STORE_HOURS_MS) return;
    this.#hoursStoredAtMonoMs = clock.monoMs();
    const hours = this.#hours.takeChanged();
    if (hours.length > 0) await store.commit({ hours }).catch(onFatal);
  }

  async #tick(): Promise<void> {
    const { clock, log } = this.#tools;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await clock.sleep(TICK_MS, signal);
      await this.#storeHours();
      for (const actor of this.#actors.values()) {
        if (signal.aborted || isFinal(actor.rollout)) continue;
        await actor
          .tick()
          .catch((error: unknown) =>
            log(`${actor.rollout.plan.rolloutId}: tick failed, traffic stays as it is: ${String(error)}`),
          );
      }
    }
  }
}
