import { hexOf } from "./digest.ts";

/**
 * Proves that an answer comes from the controller a data plane belongs to. The one seam between leases and keys:
 * another kind of key is another implementation of it.
 */
export interface Proof {
  prove(text: string): Promise<string>;
  /** False for any other text, another key, or no proof at all; takes the same time for each wrong one. */
  isProven(text: string, proof: string): Promise<boolean>;
}

/**
 * Proof with the credential a data plane sends: keyed by its hash, which is all that the controller keeps of it.
 * @param token the bearer token of the pushes that are answered
 * @throws TypeError when it is empty
 */
export function tokenProof(token: string): Proof {
  refuseEmpty(token);
  const proof = crypto.subtle
    .digest("SHA-256", encoded(token))
    .then((bytes) => sharedSecretProof(hexOf(new Uint8Array(bytes))));
  return {
    prove: async (text) => (await proof).prove(text),
    isProven: async (text, given) => (await proof).isProven(text, given),
  };
}

/**
 * HMAC-SHA256 over the secret that a controller and its data planes share.
 * @throws TypeError when it is empty: everybody holds that one
 */
export function sharedSecretProof(secret: string): Proof {
  refuseEmpty(secret);
  const key = crypto.subtle.importKey("raw", encoded(secret), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);
  return {
    async prove(text) {
      return hexOf(new Uint8Array(await crypto.subtle.sign("HMAC", await key, encoded(text))));
    },
    async isProven(text, proof) {
      if (!/^[0-9a-f]{64}$/.test(proof)) return false;
      const bytes = Uint8Array.from(proof.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
      return crypto.subtle.verify("HMAC", await key, bytes, encoded(text));
    },
  };
}

function refuseEmpty(secret: string): void {
  if (secret !== "") return;
  const advice = "look at the variable or file it is read from, or leave it out to hold no lease";
  throw new TypeError(`the secret shared with the controller is empty; expected its credential; ${advice}`);
}

function encoded(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
