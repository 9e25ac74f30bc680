/**
 * A transaction over this process's memory. Writes are kept back until its end: all of them happen, in their order and
 * without a pause between them, or none.
 */
export interface MemoryTransaction {
  /** Adds a write of the caller's own: `onCommit(() => orders.set(id, order))`. */
  onCommit(write: () => void): void;
}

/** Runs work in a transaction; when it throws, nothing was written and the error is passed on. */
export type Transact<Transaction> = <R>(work: (transaction: Transaction) => Promise<R>) => Promise<R>;

/**
 * Transactions one after the other. One that is opened inside another one waits for ever, as on a single connection.
 */
export function memoryTransactions(): Transact<MemoryTransaction> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(async () => {
      const writes: (() => void)[] = [];
      const result = await work({ onCommit: (write) => void writes.push(write) });
      for (const write of writes) write();
      return result;
    });
    last = turn.catch(() => {}); // The next one starts whatever became of this one; its caller gets the error.
    return turn;
  };
}
