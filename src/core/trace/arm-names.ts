import type { ServingArm } from "../arm.ts";

/** What the events of a trace call the arms. `shadow` answers nobody and is left out. */
type NamedArm = ServingArm | "shadow";

/** The names of contracts.md, and those of the canary page; colours have no meaning until somebody gives them one. */
const USUAL: readonly (readonly [name: string, arm: NamedArm])[] = [
  ["stable", "stable"],
  ["control", "stable"],
  ["candidate", "candidate"],
  ["canary", "candidate"],
  ["shadow", "shadow"],
];
/** The page's variants carry a version: `canary-v2`. */
const CANARY = "canary-";

/** Looks up the arm behind `arm`, `variant` or `color` of an event. Names a person gave win over the usual ones. */
export class ArmNames {
  readonly #arms: ReadonlyMap<string, NamedArm>;

  constructor(given: Iterable<readonly [name: string, arm: ServingArm]> = []) {
    this.#arms = new Map<string, NamedArm>([...USUAL, ...given]);
  }

  /** Null for a name that means neither arm. */
  armOf(name: string): NamedArm | null {
    return this.#arms.get(name) ?? (name.startsWith(CANARY) ? "candidate" : null);
  }
}
