import type { ServingArm } from "../arm.ts";
import type { Bp } from "../unit.ts";

/**
 * Work the reducer asks for. The id is `rollout/generation/index`, deterministic, so that running an effect again after
 * a crash is recognised. Every effect is idempotent; its result comes back as an event.
 */
export type Effect =
  | { readonly kind: "check-parity"; readonly id: string }
  | {
      readonly kind: "run-probes";
      readonly id: string;
      readonly tier: "smoke" | "full";
      /** Repetitions beyond the plan's, for a set that the first run left undecided. Earlier runs are reused. */
      readonly extraRepeats: number;
    }
  | {
      /** Publish the routing document and read it back from the data plane; done means "served", not "accepted". */
      readonly kind: "set-split";
      readonly id: string;
      readonly candidateBp: Bp;
      /** Arms that nothing may select while this document is in force. */
      readonly closed: readonly ServingArm[];
      /** `swap`: the candidate becomes the only stable arm, at the end of a promotion. */
      readonly arms: "both" | "swap";
      /** The candidate answers copies, as the plan has it; absent: there are none. */
      readonly shadow?: true;
      /** A rollback, a promotion or a retreat starts a new epoch; a step of the ladder does not. */
      readonly newEpoch: boolean;
    };

/** An effect before it has an id. */
export type UnnumberedEffect = Effect extends infer E ? (E extends Effect ? Omit<E, "id"> : never) : never;
