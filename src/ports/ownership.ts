/** A process that may own a store. */
export interface StoreHolder {
  /** The same over restarts, different for every place that a controller may run at. */
  readonly id: string;
  /** What a person is told, e.g. "process 4711 on host a". */
  readonly name: string;
}

/** Told to the process that takes a store. */
export interface StoreOwnership {
  /** Made once, the same for ever: documents carry it. */
  readonly store: string;
  /** Grows by one with every process that takes the store. */
  readonly owner: number;
  /** The longest lease the owner before announced, in milliseconds. */
  readonly announcedMs: number;
  /** Documents are numbered above it: a restored store does not know what was published after its backup. */
  readonly epochFloor: number;
}

/** Who has a store, told to anybody. */
export interface StoreOwner {
  readonly store: string;
  readonly owner: number;
  readonly holder: StoreHolder;
  /** Grows whenever the owner says that it lives. */
  readonly beat: number;
  /** True when it gave the store up: nobody has to wait for it. */
  readonly isReleased: boolean;
}

/**
 * A store that one process owns at a time. Whoever takes it has it from that moment: no change in the name of an
 * earlier owner is stored any more, and what was under way is stored before or not at all.
 */
export interface OwnedStore {
  /**
   * Takes the store over: every earlier owner has lost it.
   * @param proposed becomes the store's identity when it has none yet
   */
  own(proposed: string, holder?: StoreHolder): Promise<StoreOwnership>;
  /** Writes that the owner lives and what it announced. False when another one owns the store. */
  keep(owner: number, announcedMs: number): Promise<boolean>;
  /** Gives the store up; nothing happens when another one owns it. */
  release(owner: number): Promise<void>;
  /** Who owns the store; null when nobody ever did. */
  owner(): Promise<StoreOwner | null>;
}

/** One that says nothing of itself. */
export const NAMELESS: StoreHolder = { id: "", name: "" };
