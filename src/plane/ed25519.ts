import { hexOf } from "./digest.ts";

const encoder = new TextEncoder();
const SIGNATURE = /^[0-9a-f]{128}$/;

/** Bytes of lower-case hexadecimal digits. */
export function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** A public key as it is handed over. */
export function publicKeyText(raw: Uint8Array): string {
  return `ed25519:${hexOf(raw)}`;
}

/** Signature of a text, 128 lower-case hexadecimal digits. */
export async function signText(privateKey: CryptoKey, text: string): Promise<string> {
  return hexOf(new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, encoder.encode(text))));
}

/**
 * Whether a text was signed with the private half of a key. False for everything else, a signature in another spelling
 * included: one signature has one text.
 * @param publicKey as `isPublicKey` accepts it
 */
export async function isSignedBy(publicKey: string, text: string, signature: string): Promise<boolean> {
  if (!SIGNATURE.test(signature)) return false;
  try {
    const raw = bytesOf(publicKey.slice("ed25519:".length));
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, bytesOf(signature), encoder.encode(text));
  } catch {
    return false; // No point of the curve, or a platform without Ed25519: nothing is believed.
  }
}
