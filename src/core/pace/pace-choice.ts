/** What evidence and traffic say about the share that comes next. It comes in with an event, so the journal replays. */
export interface PaceChoice {
  /** The stage it was chosen at. */
  readonly fromIndex: number;
  /** The traffic stage to go to; null where no greater share keeps the bounds on harm. */
  readonly stageIndex: number | null;
  /** False where the bounds hold even for a candidate of which nothing is known yet. */
  readonly needsProof: boolean;
  /** Why, as a person reads it. */
  readonly text: string;
}
