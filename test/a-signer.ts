import { type Succession, successionText } from "../src/core/routing/signature.ts";
import { publicKeyText, signText } from "../src/plane/ed25519.ts";
import type { DocumentSigner, SigningKey } from "../src/ports/document-signer.ts";

/** A controller's keys that live as long as the test. */
export interface TestSigner extends DocumentSigner {
  /** What `signing` would have to say for this one's key to follow `by`. */
  linkFrom(by: string, signing: SigningKey): Promise<Succession>;
}

async function aKey(succession: readonly Succession[]): Promise<SigningKey> {
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const publicKey = publicKeyText(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  return { publicKey, succession, sign: (text) => signText(pair.privateKey, text) };
}

export async function aSigner(): Promise<TestSigner> {
  let current = await aKey([]);
  const link = async (key: string, by: string, signing: SigningKey): Promise<Succession> => {
    return { key, by, signature: await signing.sign(successionText({ key, by })) };
  };
  return {
    get current() {
      return current;
    },
    linkFrom: (by, signing) => link(current.publicKey, by, signing),
    async rotate() {
      const next = await aKey([]);
      const last = await link(next.publicKey, current.publicKey, current);
      current = { ...next, succession: [...current.succession, last] };
    },
  };
}
