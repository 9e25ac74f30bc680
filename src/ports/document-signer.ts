import type { Succession } from "../core/routing/signature.ts";

/** One private key, which never leaves whoever holds it. */
export interface SigningKey {
  /** As it is handed to data planes: `ed25519:` and 64 hexadecimal digits. */
  readonly publicKey: string;
  /** How the keys before it handed over, oldest first; at most `SUCCESSIONS_MAX`. */
  readonly succession: readonly Succession[];
  /** Signature of a text, 128 lower-case hexadecimal digits. The same text has the same one. */
  sign(text: string): Promise<string>;
}

/** What a controller signs with. */
export interface DocumentSigner {
  /** Take it once for one signature: another one may be in force a moment later. */
  readonly current: SigningKey;
  /** Makes a new key that the one before hands over to. Durable when it resolves, and in force from then on. */
  rotate(): Promise<void>;
}
