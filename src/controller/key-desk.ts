import type { DocumentSigner, SigningKey } from "../ports/document-signer.ts";
import type { DocumentLedger } from "./document-ledger.ts";
import type { GatewayRegistry } from "./gateway-registry.ts";

/** The key that documents are signed with, and its change. */
export class KeyDesk {
  readonly #signer: DocumentSigner | null;
  readonly #ledger: DocumentLedger;
  readonly #hub: GatewayRegistry;

  constructor(signer: DocumentSigner | null, ledger: DocumentLedger, hub: GatewayRegistry) {
    this.#signer = signer;
    this.#ledger = ledger;
    this.#hub = hub;
  }

  /** Null at a controller that signs nothing. */
  get current(): SigningKey | null {
    return this.#signer?.current ?? null;
  }

  /**
   * Signs with a new key from now on, everything in force included. Data planes follow it with the next document that
   * reaches them, because the key before says so in it.
   * @param from name of the key to be replaced: a repetition must not replace its successor
   * @returns the new key; null when `from` is not the one in force
   */
  async rotate(from: string): Promise<SigningKey | null> {
    const signer = this.#signer;
    const documents = signer === null ? null : await this.#ledger.rotateKey(signer, from);
    if (signer === null || documents === null) return null;
    for (const document of documents) this.#hub.publish(document);
    return signer.current;
  }
}
