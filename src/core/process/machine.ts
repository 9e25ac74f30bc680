import type { Note } from "./note.ts";
import type { Order } from "./order.ts";

/** A decision: the state after it, the work it asks for and what to tell. Journal it before an order begins. */
export interface Next<State, Work extends Order = Order, Told = Note> {
  readonly state: State;
  readonly orders: readonly Work[];
  readonly notes: readonly Told[];
}

/**
 * A process as a value: pure decisions over plain data, without a clock, without chance, without I/O. Equal states
 * given equal events stay equal, so a host may end at any point, read the state it committed last, and begin every
 * order that is awaited again, under its id.
 */
export interface Machine<Plan, State, Event, Work extends Order = Order, Told = Note> {
  /** Told apart in the store, the API and the feed by it. */
  readonly kind: string;
  start(plan: Plan): State;
  step(state: State, event: Event): Next<State, Work, Told>;
  /** What must hold of every reachable state and does not; a broken rule is our bug, and nothing is committed. */
  broken(state: State): readonly string[];
  /** Nothing more happens by itself. */
  isFinal(state: State): boolean;
  /** Why it ended or waits, as much of it as everybody can say. */
  cause(state: State): { readonly text: string } | null;
}

/** What a host must know of a process that it carries out without knowing its kind. */
export interface HostedMachine<Plan, State, Event> extends Machine<Plan, State, Event> {
  /** Number of the form of `State` that is stored; a newer one is refused in words. */
  readonly schema: number;
  about(state: State): {
    readonly processId: string;
    readonly generation: number;
    readonly service: string;
    readonly plan: Plan;
    /** Not begun yet. */
    readonly isPending: boolean;
    /** Orders that have to be carried out, again after a restart. */
    readonly awaiting: readonly Order[];
  };
}
