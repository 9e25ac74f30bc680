import type { ServicePointer } from "../core/service/pointer.ts";
import { type EpochMs, epochMs } from "../core/unit.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControllerStore, StoredGrant } from "../ports/controller-store.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { Ownership } from "./ownership.ts";

/** How long a leave to act lasts. Its holder counts from when it asked, the desk from when it answered. */
const LEAVE_MS = 5_000;
/** How soon a worker should ask again. */
const ASK_AGAIN_MS = 1_000;
/** Workers with a leave of one service; further ones wait until one is over. */
const WORKERS_MAX = 10_000;

/**
 * `producer`: begins effects, as a scheduler, an emitter or a handler that enqueues does; nobody does while they are
 * frozen. `consumer`: finishes what is queued, which a freeze waits for.
 */
type ActingRole = "producer" | "consumer";

/** Whoever wants to act. */
export interface Asker {
  readonly role: ActingRole;
  /** Release it belongs to. */
  readonly release: string;
  /** Region it stands in; null where it names none. */
  readonly region?: string | null;
  /** Unique to this process of it. */
  readonly worker: string;
  /** False: it does nothing now and relies on no leave. */
  readonly isActing: boolean;
  /** Grows with each question of this worker, so that one that was overtaken gives nothing back; null: unnumbered. */
  readonly question: number | null;
}

/** Whether the asker may act, and until when. */
export interface Leave {
  readonly acts: boolean;
  /** Release that may act; null while nobody has served this service. */
  readonly holder: string | null;
  /** Fencing token: whatever the effects change refuses a lower one than it has seen. */
  readonly token: number;
  /** From when it asked; 0 when it may not act. */
  readonly expiresInMs: number;
  readonly askAgainMs: number;
  /** Why not, in words; null when it may. */
  readonly reason: string | null;
}

interface Tools {
  readonly store: ControllerStore;
  readonly clock: Clock;
  readonly pointerOf: (service: string) => ServicePointer | null;
  readonly ownership: Pick<Ownership, "canPromise" | "leasesFromMonoMs" | "epochFloor">;
}

interface Given {
  readonly role: ActingRole;
  readonly release: string;
  readonly region: string | null;
  readonly untilMonoMs: number;
  readonly question: number | null;
}

/**
 * Who may act on the effects of each service: at every instant one release, by leaves that end by themselves. Nobody
 * gets a leave while one of another release runs. @source definitions.md §13, "Grant"
 */
export class GrantDesk {
  readonly #tools: Tools;
  readonly #stored = new Map<string, StoredGrant>();
  /** By service, then by worker. */
  readonly #given = new Map<string, Map<string, Given>>();
  /** Until when effects are frozen, by the clock that never jumps. */
  readonly #frozenUntilMonoMs = new Map<string, number>();
  /** What is said of one service is said one after another. */
  readonly #turns = new Map<string, Promise<unknown>>();

  private constructor(tools: Tools) {
    this.#tools = tools;
  }

  static async open(tools: Tools): Promise<GrantDesk> {
    const desk = new GrantDesk(tools);
    for (const grant of await tools.store.grants()) desk.#learn(grant);
    return desk;
  }

  /** The highest token that was given for a service; 0 before the first. */
  highestToken(service: string): number {
    return Math.max(this.#stored.get(service)?.token ?? 0, this.#tools.ownership.epochFloor);
  }

  /** Who may act is what the service's pointer says, where no order said otherwise since. */
  follow(service: string): Promise<void> {
    return this.#inTurn(service, () => this.#followPointer(service));
  }

  /** Release that acts on effects of a service; null while nobody has served it. */
  holderOf(service: string): string | null {
    return this.of(service)?.holder ?? this.#tools.pointerOf(service)?.arm.releaseId ?? null;
  }

  /** What is durable of a service; null while nothing but its pointer says who may act. */
  of(service: string): StoredGrant | null {
    return this.#stored.get(service) ?? null;
  }

  /** Answers one worker. @throws DriverError when the store does not take what has to be durable first */
  async ask(service: string, asker: Asker): Promise<Leave> {
    await this.follow(service);
    const { clock } = this.#tools;
    const given = this.#leavesOf(service);
    if (!asker.isActing && isAfter(asker, given.get(asker.worker))) given.delete(asker.worker);
    const { holder, token, reason } = this.#standing(service, asker);
    const isFull = !given.has(asker.worker) && given.size >= WORKERS_MAX;
    const refusal = reason ?? (isFull ? `${WORKERS_MAX} workers of ${service} have a leave already` : null);
    const answer = { holder, token, askAgainMs: ASK_AGAIN_MS };
    if (refusal !== null) return { ...answer, acts: false, expiresInMs: 0, reason: refusal };
    const { role, release, region = null, question } = asker;
    given.set(asker.worker, { role, release, region, question, untilMonoMs: clock.monoMs() + LEAVE_MS });
    // Durable before it is heard of: whoever owns the store next must not wait for leaves that are long over.
    await this.#inTurn(service, () => this.#handOver(service, token));
    return { ...answer, acts: true, expiresInMs: LEAVE_MS, reason: null };
  }

  /**
   * Stores what an order says of the grant. The same order again changes nothing.
   * @throws DriverError `stale-token` when a later order has spoken
   */
  say(
    service: string,
    { id, epoch = 0 }: { readonly id: string; readonly epoch?: number | undefined },
    process: string,
    said: (before: StoredGrant | null) => Pick<StoredGrant, "holder" | "frozenUntil" | "region">,
  ): Promise<void> {
    return this.#inTurn(service, async () => {
      const before = this.of(service);
      if (before?.orderId === id) return;
      if (before !== null && epoch <= before.token) {
        const found = `the grant of ${service} was moved by ${before.orderId} with token ${before.token}`;
        throw new DriverError("stale-token", "never", `${found}; ${id} comes later with ${epoch}`);
      }
      const region = before?.region ?? null;
      await this.#keep({ service, process, orderId: id, token: epoch, region, ...said(before) });
    });
  }

  /** Milliseconds until the last leave is over that `isOf` is true of. */
  runsOnMs(service: string, isOf: (given: Pick<Given, "role" | "release" | "region">) => boolean): number {
    const nowMs = this.#tools.clock.monoMs();
    const ends = [...this.#leavesOf(service).values()].map((one) => (isOf(one) ? one.untilMonoMs : 0));
    // What the owner before this one gave is not known, and is over by now or soon.
    return Math.max(
      0,
      this.#tools.ownership.leasesFromMonoMs + LEAVE_MS - nowMs,
      ...ends.map((untilMs) => untilMs - nowMs),
    );
  }

  #standing(
    service: string,
    { release, role, region = null }: Asker,
  ): { holder: string | null; token: number; reason: string | null } {
    const { clock, pointerOf, ownership } = this.#tools;
    const stored = this.of(service);
    const holder = stored?.holder ?? pointerOf(service)?.arm.releaseId ?? null;
    const token = Math.max(stored?.token ?? 0, ownership.epochFloor);
    const refuse = (reason: string) => ({ holder, token, reason });
    // Another controller may have the store by now, and have given leaves: this one knows of none of them.
    if (!ownership.canPromise) return refuse("this controller cannot say now that the store is still its own");
    if (holder === null) return refuse(`nobody serves ${service} yet; it gets a release with its first rollout`);
    if (holder !== release) return refuse(`${holder} acts on effects of ${service}, this is ${release}`);
    const writes = stored?.region ?? null;
    if (writes !== null && writes !== region)
      return refuse(
        `${writes} alone acts on effects of ${service}, this is ${region ?? "a worker that names no region"}`,
      );
    const isFrozen = stored?.frozenUntil != null && clock.monoMs() < (this.#frozenUntilMonoMs.get(service) ?? 0);
    if (role === "producer" && isFrozen) return refuse(`effects of ${service} are frozen by ${stored.process}`);
    const isOther = (one: Pick<Given, "release" | "region">) =>
      one.release !== release || (writes !== null && one.region !== writes);
    const othersMs =
      stored?.isHandedOver === true ? this.#givenToOthersMs(service, isOther) : this.runsOnMs(service, isOther);
    return othersMs > 0
      ? refuse(`leaves of the ${writes === null ? "release" : "release or region"} before run for ${othersMs} ms more`)
      : { holder, token, reason: null };
  }

  #givenToOthersMs(service: string, isOther: (one: Given) => boolean): number {
    const nowMs = this.#tools.clock.monoMs();
    const others = [...this.#leavesOf(service).values()].filter(isOther);
    return Math.max(0, ...others.map(({ untilMonoMs }) => untilMonoMs - nowMs));
  }

  /**
   * The pointer says who acts until an order does; a rollout that moved it after the last order moved the effects as
   * well. Told by epochs, because a wall clock may be set between them.
   */
  async #followPointer(service: string): Promise<void> {
    const [stored, pointer] = [this.of(service), this.#tools.pointerOf(service)];
    if (pointer === null) return;
    const { process } = pointer.since;
    const orderId = `${process}/pointer/${pointer.epoch}`;
    const said = { service, process, orderId, token: this.highestToken(service) + 1, frozenUntil: null };
    const holder = pointer.arm.releaseId;
    // Nobody has acted before the first grant is durable.
    if (stored === null) return this.#keep({ ...said, holder, isHandedOver: true });
    const isOfOrder = stored.process === process && !stored.orderId.startsWith(`${process}/pointer/`);
    if (isOfOrder || pointer.epoch <= stored.pointerEpoch || holder === stored.holder) return;
    await this.#keep({ ...said, holder, region: stored.region ?? null });
  }

  /** The release that may act has its first leave, so no other one has any. */
  async #handOver(service: string, token: number): Promise<void> {
    const stored = this.of(service);
    if (stored === null || stored.isHandedOver || stored.token !== token) return;
    await this.#store({ ...stored, isHandedOver: true, version: stored.version + 1 });
  }

  async #keep(said: Omit<StoredGrant, "version" | "at" | "pointerEpoch" | "isHandedOver"> & Partial<StoredGrant>) {
    const at: EpochMs = epochMs(this.#tools.clock.wallMs());
    const before = this.of(said.service);
    const isHandedOver =
      before !== null && before.isHandedOver && before.holder === said.holder && sameRegion(before, said);
    const pointerEpoch = this.#tools.pointerOf(said.service)?.epoch ?? 0;
    await this.#store({ isHandedOver, pointerEpoch, ...said, at, version: (before?.version ?? 0) + 1 });
  }

  async #store(next: StoredGrant): Promise<void> {
    if (!(await this.#tools.store.commit({ grant: next })))
      throw new DriverError("unreachable", "safe", `the grant of ${next.service} changed at this moment`);
    this.#learn(next);
  }

  /** Knows what is durable. A freeze that an earlier owner said lasts what is left of it, and never longer than it. */
  #learn(grant: StoredGrant): void {
    const { service, frozenUntil, at, orderId } = grant;
    const isSaid = this.of(service)?.orderId === orderId;
    this.#stored.set(service, grant);
    if (isSaid || frozenUntil === null) return;
    const { clock } = this.#tools;
    const leftMs = Math.min(frozenUntil - clock.wallMs(), frozenUntil - at);
    this.#frozenUntilMonoMs.set(service, clock.monoMs() + leftMs);
  }

  #inTurn<T>(service: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#turns.get(service) ?? Promise.resolve()).then(work);
    this.#turns.set(
      service,
      done.catch(() => {}), // Each caller hears of its own failure; the next one starts afresh.
    );
    return done;
  }

  #leavesOf(service: string): Map<string, Given> {
    const nowMs = this.#tools.clock.monoMs();
    const given = this.#given.get(service) ?? new Map<string, Given>();
    for (const [worker, { untilMonoMs }] of given) if (untilMonoMs <= nowMs) given.delete(worker);
    this.#given.set(service, given);
    return given;
  }
}

/** Whether a question was asked after the one that a leave answered; nobody can say of one without a number. */
function isAfter({ question }: Asker, given: Given | undefined): boolean {
  return question !== null && given?.question != null && question > given.question;
}

/** A grant that moves to another region is handed over again. */
function sameRegion(left: Pick<StoredGrant, "region">, right: Pick<StoredGrant, "region">): boolean {
  return (left.region ?? null) === (right.region ?? null);
}
