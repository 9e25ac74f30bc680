/** Something a decision changed, in words for whoever listens. A machine may have kinds of its own beside it. */
export interface Note {
  readonly type: "note";
  /** The process it is about. */
  readonly rollout: string;
  readonly text: string;
}
