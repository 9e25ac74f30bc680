import type { ServingArm } from "../../core/arm.ts";

/** Number of a routing document: the epoch first, then the sequence within it. */
export interface DocumentNumber {
  readonly epoch: number;
  readonly seq: number;
}

/** What one answer tells about one user. */
export interface Served {
  readonly user: string;
  readonly arm: ServingArm;
  readonly document: DocumentNumber;
  /** Share of units in force, basis points: 0 too while the document's own share waits for a lease. */
  readonly candidateBp: number;
}

interface Placement extends DocumentNumber {
  readonly candidateBp: number;
  readonly arm: ServingArm;
}

/** Counts the moves of users between arms that no change of weight explains, from the client's side. */
export interface Stickiness {
  /** Answers may come in any order; the order of the documents decides. */
  observe(served: Served): void;
  /** Over everything observed so far; a late answer can still explain a move. Work grows with users x documents. */
  violations(): number;
}

function inOrder(left: DocumentNumber, right: DocumentNumber): number {
  return left.epoch - right.epoch || left.seq - right.seq;
}

/**
 * A user may enter the candidate only when the share rose, and leave it only when the share fell. Where the share was 0
 * in between, everybody was on stable and the next rollout deals anew, so any move across it is explained.
 */
function isExplained(from: Placement, to: Placement, empty: readonly DocumentNumber[]): boolean {
  if (from.arm === to.arm) return true;
  const hasRisen = to.candidateBp > from.candidateBp;
  const hasFallen = to.candidateBp < from.candidateBp;
  if (to.arm === "candidate" ? hasRisen : hasFallen) return true;
  return empty.some((document) => inOrder(from, document) < 0 && inOrder(document, to) < 0);
}

/**
 * An empty count. Within one document a user has one arm: each answer from the other one is a violation, unless no
 * share was in force for it. A document is a reset only when it never gave the candidate a share: after a lapse of the
 * lease everybody is dealt as before.
 */
export function stickiness(): Stickiness {
  const byUser = new Map<string, Map<string, Placement>>();
  const empty = new Map<string, DocumentNumber>();
  const shared = new Set<string>();
  let withinDocument = 0;
  return {
    observe({ user, arm, document: { epoch, seq }, candidateBp }) {
      const number = `${epoch}.${seq}`;
      if (candidateBp === 0) empty.set(number, { epoch, seq });
      else shared.add(number);
      const placements = byUser.get(user) ?? new Map<string, Placement>();
      byUser.set(user, placements);
      const key = candidateBp === 0 ? `${number} nobody` : number;
      const known = placements.get(key);
      if (known === undefined) placements.set(key, { epoch, seq, candidateBp, arm });
      else if (known.arm !== arm) withinDocument++;
    },
    violations() {
      let count = withinDocument;
      const resets = [...empty].flatMap(([number, document]) => (shared.has(number) ? [] : [document]));
      for (const placements of byUser.values()) {
        const ordered = [...placements.values()].sort(inOrder);
        for (let next = 1; next < ordered.length; next++) {
          if (!isExplained(ordered[next - 1]!, ordered[next]!, resets)) count++;
        }
      }
      return count;
    },
  };
}
