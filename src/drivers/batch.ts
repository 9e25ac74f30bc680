/** One statement for everything that was asked for in the same turn of the event loop. */
export interface BatchOptions<Q, A> {
  /** Answers in the order of the questions. A throw fails every question of the batch. */
  readonly run: (questions: readonly Q[]) => Promise<readonly A[]>;
  /** Questions with the same id are never under way together and are asked in order; null: they may be. */
  readonly idOf: ((question: Q) => string) | null;
  readonly sizeMax: number;
  /** Batches under way at once; while all are, further questions wait and so make the next batch larger. */
  readonly inFlightMax: number;
}

interface Waiting<Q, A> {
  readonly question: Q;
  readonly id: string | null;
  resolve(answer: A): void;
  reject(error: unknown): void;
}

/** After the I/O callbacks of this turn where the runtime has it, else the shortest timer (1 ms at most). */
const afterThisTurn: (run: () => void) => void =
  typeof setImmediate === "function" ? (run) => void setImmediate(run) : (run) => void setTimeout(run, 0);

/**
 * Collects single questions into batches: group commit. A lone question waits for the end of its turn only; under load
 * a batch is whatever arrived while the ones before it were written.
 */
export function createBatch<Q, A>(options: BatchOptions<Q, A>): (question: Q) => Promise<A> {
  let waiting: Waiting<Q, A>[] = [];
  const busyIds = new Set<string>();
  let inFlight = 0;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled || waiting.length === 0 || inFlight >= options.inFlightMax) return;
    isScheduled = true;
    afterThisTurn(() => {
      isScheduled = false;
      while (inFlight < options.inFlightMax && start()) {}
    });
  }

  /** Takes the oldest questions whose ids are free; the others keep their place. */
  function take(): readonly Waiting<Q, A>[] {
    const [batch, kept]: [Waiting<Q, A>[], Waiting<Q, A>[]] = [[], []];
    for (const one of waiting) {
      const isFree = batch.length < options.sizeMax && (one.id === null || !busyIds.has(one.id));
      if (isFree && one.id !== null) busyIds.add(one.id);
      (isFree ? batch : kept).push(one);
    }
    waiting = kept;
    return batch;
  }

  function start(): boolean {
    const batch = take();
    if (batch.length === 0) return false;
    inFlight++;
    void settle(batch);
    return true;
  }

  async function settle(batch: readonly Waiting<Q, A>[]): Promise<void> {
    try {
      const answers = await options.run(batch.map((one) => one.question));
      for (const [index, one] of batch.entries()) one.resolve(answers[index] as A);
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
    for (const { id } of batch) if (id !== null) busyIds.delete(id);
    inFlight--;
    schedule();
  }

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, id: options.idOf?.(question) ?? null, resolve, reject });
      schedule();
    });
}
