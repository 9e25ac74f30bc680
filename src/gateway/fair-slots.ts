import type { Behind } from "./stalled-writes.ts";

/** Something that waits for one of an endpoint's connections. */
export interface SlotTaker {
  /** Monotonic time since when it waits; set by itself. */
  readonly waitsSinceMs: number;
  /** It has a connection now. */
  run(): void;
  /** It waited too long. */
  giveUp(): void;
}

/** What one client has of an endpoint. */
class Share {
  running = 0;
  readonly waiting: SlotTaker[] = [];
}

/** Shares of clients that have nothing any more are kept until there are this many. */
const SHARES_KEPT = 1_024;
/** Part of what is free that one client may hold of it: see `mayTake`. */
const GREED = 2;

/**
 * Whether a client that holds `held` of something may have one more when `free` are left: while it has less than twice
 * what is left, and never the last one. One client alone gets two thirds; of k that ask for all they can get, each gets
 * 2/(2k + 1), and there is always something left for the next one, without a list of who may come.
 * @source Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998
 */
export function mayTake(held: number, free: number): boolean {
  if (held === 0) return free > 0;
  return free > 1 && held < GREED * free;
}

/**
 * The connections of one endpoint and the places to wait for one, shared fairly among clients: those that wait take
 * turns by client, not by request, and no client takes the last of either.
 */
export class FairSlots {
  readonly #slotsMax: number;
  readonly #waitingMax: number;
  readonly #shares = new Map<string, Share>();
  /** Clients with something waiting, in the order of their turns. */
  #turns: string[] = [];
  #running = 0;
  #waiting = 0;
  #isServing = false;

  constructor(slotsMax: number, waitingMax: number) {
    this.#slotsMax = slotsMax;
    this.#waitingMax = waitingMax;
  }

  /** Running and waiting. */
  get held(): number {
    return this.#running + this.#waiting;
  }

  /** Who waits while this client holds connections. */
  behind(client: string | null): Behind {
    const name = client ?? "";
    const own = this.#shares.get(name);
    let poorer = 0;
    for (const other of this.#turns) {
      const share = this.#shares.get(other);
      if (share !== undefined && share.running < (own?.running ?? 0)) poorer += share.waiting.length;
    }
    return { poorer, own: own?.waiting.length ?? 0 };
  }

  /**
   * Asks for a connection.
   * @param client null for a peer that speaks for many and is not limited itself
   */
  take(taker: SlotTaker, client: string | null): "run" | "wait" | "full" {
    const share = this.#shareOf(client ?? "");
    const free = this.#slotsMax - this.#running;
    const isLimited = client !== null;
    if (share.waiting.length === 0 && (isLimited ? mayTake(share.running, free) : free > 0)) {
      share.running++;
      this.#running++;
      return "run";
    }
    const places = this.#waitingMax - this.#waiting;
    if (isLimited ? !mayTake(share.waiting.length, places) : places <= 0) return "full";
    if (share.waiting.push(taker) === 1) this.#turns.push(client ?? "");
    this.#waiting++;
    return "wait";
  }

  /** Takes a connection whatever the shares say: a request that another endpoint failed has waited already. */
  takeAtOnce(client: string | null): void {
    this.#shareOf(client ?? "").running++;
    this.#running++;
  }

  /** Gives a connection back; those who waited for it run. */
  giveBack(client: string | null): void {
    const share = this.#shares.get(client ?? "");
    if (share !== undefined) share.running--;
    this.#running--;
    if (this.#waiting > 0) this.#serve();
  }

  /** Goes away while it waits. */
  leave(taker: SlotTaker, client: string | null): void {
    const share = this.#shares.get(client ?? "");
    const at = share?.waiting.indexOf(taker) ?? -1;
    if (share === undefined || at < 0) return;
    share.waiting.splice(at, 1);
    this.#waiting--;
    if (share.waiting.length === 0) this.#turns = this.#turns.filter((name) => name !== (client ?? ""));
  }

  /** Tells at most `atMost` of those that wait since before `untilMs` to give up. @returns how many it told */
  expire(untilMs: number, atMost: number): number {
    if (this.#waiting === 0) return 0;
    const late: SlotTaker[] = [];
    for (const { waiting } of this.#shares.values()) {
      for (const taker of waiting) {
        if (late.length >= atMost || taker.waitsSinceMs >= untilMs) break; // Who came first stands first.
        late.push(taker);
      }
    }
    for (const taker of late) taker.giveUp();
    return late.length;
  }

  /** One after the other: whoever runs may fail at once and give back before this is done. */
  #serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    for (let at = 0; at < this.#turns.length && this.#running < this.#slotsMax; ) {
      const client = this.#turns[at] as string;
      const share = this.#shareOf(client);
      const free = this.#slotsMax - this.#running;
      if (client === "" ? free <= 0 : !mayTake(share.running, free)) {
        at++;
        continue;
      }
      const taker = share.waiting.shift() as SlotTaker;
      this.#turns.splice(at, 1);
      if (share.waiting.length > 0) this.#turns.push(client);
      this.#waiting--;
      share.running++;
      this.#running++;
      taker.run();
      at = 0;
    }
    this.#isServing = false;
  }

  #shareOf(client: string): Share {
    let share = this.#shares.get(client);
    if (share === undefined) {
      if (this.#shares.size >= SHARES_KEPT) this.#forgetIdle();
      share = new Share();
      this.#shares.set(client, share);
    }
    return share;
  }

  #forgetIdle(): void {
    for (const [client, share] of this.#shares) {
      if (share.running === 0 && share.waiting.length === 0) this.#shares.delete(client);
    }
  }
}
