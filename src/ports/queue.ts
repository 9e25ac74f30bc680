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

/** Positions in each queue of a service. */
export type PositionsByQueue = Readonly<Record<string, QueuePositions>>;

/** What a drain has to reach, taken once and kept, so that no later try waits for newer messages. */
export interface QueueWatermark {
  /** Process that asked for the drain: another one takes a watermark of its own. */
  readonly process: string;
  readonly upTo: PositionsByQueue;
}

/** The one record that says who consumes and where producers write. */
export interface QueuePointer {
  /** Queue that producers write to. */
  readonly producersTo: string;
  /** The one consumer whose progress counts. */
  readonly consumer: string;
  /**
   * acting: its workers take messages · stopping: they take none, what they have may still be settled · starting: they
   * take none yet and will begin where `from` says. No other consumer's workers take any.
   */
  readonly phase: "acting" | "stopping" | "starting";
  /** Every queue that it reads, and where it began; empty before the first move. */
  readonly from: PositionsByQueue;
  /** The drain in force; null: none since producers or consumers were last moved. */
  readonly watermark: QueueWatermark | null;
  /** Grows with every order; a worker that knows a higher one obeys no lower one. */
  readonly epoch: number;
  /** Place of this record among those that one order writes, from 0. */
  readonly step: number;
}

/** `moved`: by this move, or the same one before; `refused`: a later record, or another of its step, is there. */
export type PointerMoveResult =
  | { readonly kind: "moved" }
  | { readonly kind: "refused"; readonly found: QueuePointer | null };

/** A queue whose consumers and producers can be moved. Every method may be called again. */
export interface QueueDriver {
  readonly name: string;
  readonly can: {
    /** Positions can be set: a consumer goes on exactly where another stopped. Else it is given what is not settled. */
    readonly positions: boolean;
    /** The product itself stops a consumer; else workers do, when they read the pointer. */
    readonly stop: boolean;
    /** Counts are exact; else they are estimates, and an empty queue has to be seen for some time. */
    readonly exactCounts: boolean;
  };
  /** The position of the last message in each partition now: the watermark of a drain. */
  end(queue: string, signal: AbortSignal): Promise<QueuePositions>;
  /** True when each partition of `mark` is reached or passed. Pure: only the product knows how positions compare. */
  reaches(found: QueuePositions, mark: QueuePositions): boolean;
  /** Null when there is no such consumer. */
  progress(queue: string, consumer: string, signal: AbortSignal): Promise<ConsumerProgress | null>;
  /**
   * No message is given to this consumer from now on; what it was given may still be settled. Its progress stays what
   * it is. Where `can.stop` is false only the epoch is looked at.
   * @throws DriverError `stale-token` when a higher epoch started or stopped the consumer, or this one started it
   */
  stop(queue: string, consumer: string, epoch: number, signal: AbortSignal): Promise<void>;
  /**
   * The consumer exists and will be given what follows `after`; nothing before it, and nothing of it twice. Once per
   * epoch: asked again it changes nothing, because the consumer may have gone on since. A partition without a position
   * begins with its first message.
   * @throws DriverError `stale-token` when a higher epoch started or stopped the consumer
   */
  start(
    queue: string,
    consumer: string,
    from: { readonly after: QueuePositions; readonly epoch: number },
    signal: AbortSignal,
  ): Promise<void>;
  readPointer(pointer: string, signal: AbortSignal): Promise<QueuePointer | null>;
  /** Compare-and-set: taken when (epoch, step) is higher than the stored one, or the record is the same. */
  movePointer(pointer: string, next: QueuePointer, signal: AbortSignal): Promise<PointerMoveResult>;
  close(): Promise<void>;
}
