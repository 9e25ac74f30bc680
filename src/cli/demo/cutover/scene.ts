/** One story of a cutover: what is planted, and the end it must come to. */
export interface Scene {
  readonly name: string;
  readonly says: string;
  /** Share of the sections of two topics that green's index lacks; 0: it is whole. */
  readonly droppedSections: number;
  /** How much later readers see a public name moved than the store acknowledged it; null: at once. */
  readonly aliasLagMs: number | null;
  /** A scheduler of blue freezes between its leave and its write, and wakes up when green acts. */
  readonly hasLateWriter: boolean;
  readonly expected: {
    /** `holding`: green serves, and is taken back by one command then where `isTakenBack`. */
    readonly outcome: "holding" | "returned";
    /** The step whose check says no; null where none does. */
    readonly stoppedBy: string | null;
    readonly isTakenBack: boolean;
    /** Writes with a token that was over: exactly so many. */
    readonly refused: number;
  };
}

/** Longer than any demo. */
const NEVER_MS = 3_600_000;
const whole = { droppedSections: 0, aliasLagMs: null, hasLateWriter: false } as const;
const moves = { outcome: "holding", stoppedBy: null, isTakenBack: false, refused: 0 } as const;
const goesBack = (stoppedBy: string) => ({ outcome: "returned", stoppedBy, isTakenBack: false, refused: 0 }) as const;

/** @source contracts.md, "sluice demo" */
export const SCENES: readonly Scene[] = [
  {
    ...whole,
    name: "bluegreen",
    says: "a release with an index of its own takes over everything at once, and is taken back by one command",
    expected: { ...moves, isTakenBack: true },
  },
  {
    ...whole,
    name: "bluegreen-poisoned",
    says: "green's index is stamped and counted and lacks half of two topics: the questions show it, and nothing moves",
    droppedSections: 0.5,
    expected: goesBack("ask-questions"),
  },
  {
    ...whole,
    name: "bluegreen-late-writer",
    says: "a scheduler of blue freezes between its leave and its write, and writes when green acts: the store refuses it",
    hasLateWriter: true,
    expected: { ...moves, refused: 1 },
  },
  {
    ...whole,
    name: "bluegreen-alias-lag",
    says: "the store acknowledges the swap of the index at once and shows it three seconds later: it is read back until then",
    aliasLagMs: 3_000,
    expected: moves,
  },
  {
    ...whole,
    name: "bluegreen-alias-never",
    says: "the store acknowledges the swap of the index and never shows it: everything goes back by itself",
    aliasLagMs: NEVER_MS,
    expected: goesBack("swap-index"),
  },
];

/** The scene of a name; null when it is none of a cutover. */
export function sceneNamed(name: string): Scene | null {
  return SCENES.find((scene) => scene.name === name) ?? null;
}
