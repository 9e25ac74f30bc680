/** Position in each partition, as text of the product's own: an offset, a sequence, an id. One partition is "0". */
export type QueuePositions = Readonly<Record<string, string>>;

/** What one consumer has done of a queue. */
export interface ConsumerProgress {
  /** Everything up to here, this position included, is settled: done, or put aside as dead. */
  readonly settled: QueuePositions;
  /** Given to a worker and not settled. */
  readonly inFlight: number;
  /** Not given to a worker yet; null where the product cannot say. */
  readonly waiting: number | null;
}

/** The one record that says who consumes and where producers write. */
export interface QueuePointer {
  /** Queue that producers write to. */
  readonly producersTo: string;
  /** The one consumer that may act; null: none, between two. */
  readonly consumer: string | null;
  /** Where that consumer began. */
  readonly since: QueuePositions;
  /** Grows with every move; a worker that knows a higher one obeys no lower one. */
  readonly epoch: number;
}

/** `moved`: by this move, or by the same one before; `refused`: the record has a higher epoch already. */
export type PointerMoveResult =
  | { readonly kind: "moved" }
  | { readonly kind: "refused"; readonly found: QueuePointer | null };

/** A queue whose consumers and producers can be moved. Every method may be called again. */
export interface QueueDriver {
  readonly name: string;
  readonly can: {
    /** Positions can be read and set, so that a consumer goes on exactly where another stopped. */
    readonly positions: boolean;
    /** The product itself stops a consumer; else workers do, when they read the pointer. */
    readonly stop: boolean;
    /** Counts are exact; else they are estimates, and an empty queue has to be seen for some time. */
    readonly exactCounts: boolean;
  };
  /** The position of the last message in each partition now: the watermark of a drain. */
  end(queue: string, signal: AbortSignal): Promise<QueuePositions>;
  /** Null when there is no such consumer. */
  progress(queue: string, consumer: string, signal: AbortSignal): Promise<ConsumerProgress | null>;
  /** No message is given to this consumer from now on; what it was given may still be settled. */
  stop(queue: string, consumer: string, signal: AbortSignal): Promise<void>;
  /** The consumer exists and will be given what follows `after`; nothing before it, and nothing of it twice. */
  start(queue: string, consumer: string, after: QueuePositions, signal: AbortSignal): Promise<void>;
  readPointer(pointer: string, signal: AbortSignal): Promise<QueuePointer | null>;
  /** Compare-and-set by epoch: taken only when its epoch is higher than the stored one, or the record is the same. */
  movePointer(pointer: string, next: QueuePointer, signal: AbortSignal): Promise<PointerMoveResult>;
  close(): Promise<void>;
}
