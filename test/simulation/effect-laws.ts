import type { Change, StoredGrant } from "../../src/ports/controller-store.ts";
import type { Fail } from "./journal-laws.ts";
import type { WorkerNode } from "./worker-node.ts";

/** What must hold of effects: who acts, by which token, and what became of each message. */
export class EffectLaws {
  /** Nothing is produced any more, so that what is left can be finished. */
  isResting = false;
  /** A way back did not wait for ever: what was in hand is given again, and the effect's own key is the fence. */
  isGivenAgain = false;
  readonly firstQueue: string;
  /** Who may act, as it is durable. */
  grant: StoredGrant | null = null;
  /** When that was said, in the world's time. */
  saidAtMs = 0;
  readonly #fail: Fail;
  readonly #nowMs: () => number;
  readonly #workers: () => readonly WorkerNode[];
  readonly #producedAtMs = new Map<string, number>();
  readonly #done = new Map<string, WorkerNode>();
  readonly #releases = new Map<number, string>();
  #highestToken = 0;
  #refused = 0;

  constructor(fail: Fail, nowMs: () => number, firstQueue: string, workers: () => readonly WorkerNode[]) {
    this.#fail = fail;
    this.#nowMs = nowMs;
    this.firstQueue = firstQueue;
    this.#workers = workers;
  }

  get counts() {
    return { produced: this.#producedAtMs.size, done: this.#done.size, refused: this.#refused };
  }

  committed({ grant }: Change): void {
    if (grant === undefined) return;
    const { token, holder } = grant;
    const before = this.grant;
    if (before !== null && (token < before.token || (token === before.token && grant.orderId !== before.orderId)))
      this.#fail("tokens", `the grant goes from token ${before.token} to ${token} by ${grant.orderId}`);
    this.#owned(token, holder);
    if (grant.orderId !== before?.orderId) this.saidAtMs = this.#nowMs();
    this.grant = grant;
  }

  /** One release may act at every instant. @param isFrozen nobody may begin an effect now */
  check(isFrozen: boolean): void {
    const acting = this.#workers().filter(({ hasLeave }) => hasLeave);
    const [first, ...others] = new Set(acting.map(({ self }) => self.release));
    if (others.length > 0) this.#fail("one owner", `${first} and ${others.join(", ")} have leave to act at once`);
    const producer = acting.find(({ self }) => self.role === "producer");
    if (isFrozen && producer !== undefined)
      this.#fail("freeze", `${producer.self.id} may begin effects while they are frozen`);
  }

  /** What the effects change looks at the token, and refuses a lower one than it has seen. */
  accepts({ self }: WorkerNode, token: number): boolean {
    if (token < this.#highestToken) {
      this.#refused++;
      return false;
    }
    this.#highestToken = token;
    this.#owned(token, self.release);
    return true;
  }

  produced(body: string): void {
    this.#producedAtMs.set(body, this.#nowMs());
  }

  done(body: string, worker: WorkerNode): void {
    const before = this.#done.get(body);
    const isOfZombie = [before, worker].some((one) => one !== undefined && one.clock.hasStood);
    // A worker that stood still in the midst of a message is not waited for for ever: its effect has a key of its own.
    if (before !== undefined && !isOfZombie && !this.isGivenAgain)
      this.#fail("once", `"${body}" was done by ${before.self.id}, and again by ${worker.self.id}`);
    this.#done.set(body, worker);
  }

  /** Messages from before `ms` that nobody has done. */
  undoneBefore(ms: number): readonly string[] {
    return [...this.#producedAtMs].filter(([body, at]) => at <= ms && !this.#done.has(body)).map(([body]) => body);
  }

  #owned(token: number, release: string): void {
    const owner = this.#releases.get(token) ?? release;
    if (owner !== release) this.#fail("tokens", `token ${token} is of ${owner} and of ${release}`);
    this.#releases.set(token, release);
  }
}
