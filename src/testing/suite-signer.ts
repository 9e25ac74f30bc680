import type { RoutingDocument } from "../core/routing/document.ts";
import { kidOf, type Succession, signedTextOf, successionText } from "../core/routing/signature.ts";

const hexOf = (bytes: ArrayBuffer) =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** A controller's key pair for one run of a suite. */
export interface SuiteSigner {
  /** As a data plane is told it. */
  readonly publicKey: string;
  /** The document as JSON text, signed. */
  signed(document: RoutingDocument, succession?: readonly Succession[]): Promise<string>;
  /** The word that another key follows this one. */
  handOverTo(key: string): Promise<Succession>;
}

export async function makeSuiteSigner(): Promise<SuiteSigner> {
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const publicKey = `ed25519:${hexOf(await crypto.subtle.exportKey("raw", pair.publicKey))}`;
  const sign = async (text: string) =>
    hexOf(await crypto.subtle.sign("Ed25519", pair.privateKey, new TextEncoder().encode(text)));
  return {
    publicKey,
    async signed(document, succession) {
      const past = succession === undefined ? {} : { succession };
      const said = { ...document, kid: kidOf(publicKey), signature: null, ...past };
      return JSON.stringify({ ...said, signature: await sign(signedTextOf(said)) });
    },
    async handOverTo(key) {
      const link = { key, by: publicKey };
      return { ...link, signature: await sign(successionText(link)) };
    },
  };
}
