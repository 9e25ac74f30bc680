import type { Clock } from "../ports/clock.ts";
import type { Change, ControllerStore } from "../ports/controller-store.ts";
import { DriverError } from "../ports/driver-error.ts";
import { lostStore, type Ownership } from "./ownership.ts";

/** First pause before a change is sent again, and the longest. */
const PAUSE_MS = 100;
const PAUSE_MAX_MS = 2_000;

/** The store as its owner writes to it. */
export interface StoreOfOwner extends ControllerStore {
  /** Why the store could not be reached the last time; null while it answers. */
  readonly outage: DriverError | null;
  /** Tells once that it is away, from now on; the answer takes that back. */
  whenAway(tell: (error: DriverError) => void): () => void;
}

interface Tools {
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** Ends the waiting for a store that is away. */
  readonly stopped: AbortSignal;
}

/** Whether the store is away; said once when it begins and once when it is over. */
class Outages {
  current: DriverError | null = null;
  readonly #told = new Set<(error: DriverError) => void>();
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  begin(error: DriverError): void {
    if (this.current === null)
      this.#log(`the store is away, what was decided waits for it and traffic stays: ${error.message}`);
    this.current = error;
    for (const tell of this.#told) tell(error);
    this.#told.clear();
  }

  end(): void {
    if (this.current !== null) this.#log("the store is back");
    this.current = null;
  }

  whenAway(tell: (error: DriverError) => void): () => void {
    this.#told.add(tell);
    return () => void this.#told.delete(tell);
  }
}

/**
 * Writes in the name of an owner and of nobody else. While the store is away a change waits and is sent again: what was
 * decided stays decided, and nothing else is decided meanwhile. A change whose answer was lost is looked for before it
 * is given up, because it may be stored.
 */
export function ownedStore(store: ControllerStore, ownership: Ownership, tools: Tools): StoreOfOwner {
  const { clock, log, stopped } = tools;
  const outages = new Outages(log);
  const attempt = async (change: Change, isUnsure: boolean): Promise<boolean> => {
    const isStored = await store.commit({ ...change, owner: ownership.owner });
    if (isStored) return true;
    const superseded = await ownership.check();
    if (superseded !== null) throw lostStore(superseded.text);
    return isUnsure && (await isThere(store, change));
  };
  return {
    ...store,
    get outage() {
      return outages.current;
    },
    whenAway: (tell) => outages.whenAway(tell),
    async commit(change) {
      let isUnsure = false;
      for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS)) {
        if (ownership.superseded !== null) throw lostStore(ownership.superseded.text);
        try {
          const isStored = await attempt(change, isUnsure);
          outages.end();
          return isStored;
        } catch (error) {
          if (!isPassing(error)) throw error;
          isUnsure ||= error.retry === "after-read";
          outages.begin(error);
          if (stopped.aborted) throw error;
          await clock.sleep(pauseMs, stopped);
          if (stopped.aborted) throw error;
        }
      }
    },
    async keep(owner, announcedMs) {
      try {
        const isKept = await store.keep(owner, announcedMs);
        outages.end();
        return isKept;
      } catch (error) {
        if (isPassing(error)) outages.begin(error);
        throw error;
      }
    },
  };
}

/** True for a failure that another try may mend: the store did not answer. */
function isPassing(error: unknown): error is DriverError {
  return error instanceof DriverError && error.code === "unreachable" && error.retry !== "never";
}

/**
 * Whether a change that was refused is the very one that is stored, because an earlier try of it had come through. Only
 * this owner writes, one change of a rollout or service after another, so its number is enough. What has no number may
 * be written twice.
 */
async function isThere(store: ControllerStore, change: Change): Promise<boolean> {
  const { rollout, process, grant, published, pointer, pruned } = change;
  if (process !== undefined) {
    const text = JSON.stringify(process.entry);
    return (await store.processJournal(process.next.processId)).some((entry) => JSON.stringify(entry) === text);
  }
  if (grant !== undefined) return (await store.grants()).some((one) => JSON.stringify(one) === JSON.stringify(grant));
  if (rollout !== undefined) {
    const { plan } = rollout.next.rollout;
    const found = await store.rollout(plan.rolloutId);
    return found?.version === rollout.next.version && found.rollout.plan.generation === plan.generation;
  }
  if (published !== undefined) {
    const { document, orderId } = published.next;
    const found = (await store.published()).find((one) => one.document.service === document.service);
    return found?.orderId === orderId && found.document.epoch === document.epoch && found.document.seq === document.seq;
  }
  if (pointer !== undefined) {
    const text = JSON.stringify(pointer);
    return (await store.pointerHistory(pointer.pointer.service)).some((move) => JSON.stringify(move) === text);
  }
  if (pruned === undefined) return false;
  const text = JSON.stringify(pruned.left);
  return (await store.pruned()).some((left) => JSON.stringify(left) === text);
}
