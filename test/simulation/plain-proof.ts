import { sha256 } from "../../src/core/routing/sha256.ts";
import type { Proof } from "../../src/plane/proof.ts";

/** A proof that is computed at once: what waits for a thread would come back in an order of its own. */
export function plainProof(secret: string): Proof {
  const proofOf = (text: string) => sha256(new TextEncoder().encode(`${secret} ${text}`));
  return {
    prove: (text) => Promise.resolve(proofOf(text)),
    isProven: (text, proof) => Promise.resolve(proof === proofOf(text)),
  };
}
