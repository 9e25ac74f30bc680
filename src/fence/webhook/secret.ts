import { assert } from "../../core/assert.ts";
import type { Random } from "../../ports/random.ts";
import { systemRandom } from "../system.ts";
import { fromBase64, toBase64 } from "./base64.ts";

/** `v1` HMAC-SHA256 with a shared secret, `v1a` ed25519. @source Standard Webhooks 1.0.0, Signature scheme */
type SignatureVersion = "v1" | "v1a";

/** A secret ready for use. Its bytes cannot be read back. */
export interface WebhookKey {
  readonly version: SignatureVersion;
  readonly key: CryptoKey;
}

/** What became of one secret text. `reason` never quotes the secret. */
export type SecretReading =
  | { readonly kind: "key"; readonly key: WebhookKey }
  | { readonly kind: "invalid"; readonly reason: string };

const [SECRET_BYTES_MIN, SECRET_BYTES_MAX] = [24, 64];
const HMAC = { name: "HMAC", hash: "SHA-256" } as const;
const ED25519 = "Ed25519";
/** What stands before the 32 bytes of a private key in PKCS #8. @source RFC 8410, section 7 */
const PKCS8_HEAD = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);
const FORMS =
  "expected whsec_ (shared secret), whsk_ (ed25519 private key) or whpk_ (ed25519 public key) and padded base64";

const invalid = (reason: string): SecretReading => ({ kind: "invalid", reason });

async function readShared(bytes: Uint8Array<ArrayBuffer>): Promise<SecretReading> {
  const isAllowed = bytes.length >= SECRET_BYTES_MIN && bytes.length <= SECRET_BYTES_MAX;
  if (!isAllowed)
    return invalid(`has ${bytes.length} bytes, expected ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX}; make a new one`);
  const key = await crypto.subtle.importKey("raw", bytes, HMAC, false, ["sign", "verify"]);
  return { kind: "key", key: { version: "v1", key } };
}

async function importPrivate(seed: Uint8Array, extractable: boolean): Promise<CryptoKey> {
  const wrapped = new Uint8Array(PKCS8_HEAD.length + seed.length);
  wrapped.set(PKCS8_HEAD);
  wrapped.set(seed, PKCS8_HEAD.length);
  return crypto.subtle.importKey("pkcs8", wrapped, ED25519, extractable, ["sign"]);
}

async function publicBytesOf(seed: Uint8Array): Promise<Uint8Array> {
  const { x } = await crypto.subtle.exportKey("jwk", await importPrivate(seed, true));
  const text = (x ?? "").replaceAll("-", "+").replaceAll("_", "/");
  const bytes = fromBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "="));
  assert(bytes?.length === 32, "an ed25519 public key has 32 bytes");
  return bytes;
}

/** A private key is its 32 bytes, or those and the 32 of its public key, as some servers write it. */
async function readPrivate(bytes: Uint8Array<ArrayBuffer>): Promise<SecretReading> {
  if (bytes.length !== 32 && bytes.length !== 64)
    return invalid(`has ${bytes.length} bytes, expected 32 (or 64 with the public key behind)`);
  const seed = bytes.subarray(0, 32);
  const stated = bytes.length === 64 ? toBase64(bytes.subarray(32)) : null;
  if (stated !== null && stated !== toBase64(await publicBytesOf(seed)))
    return invalid("its two halves are not one key pair; copy it again");
  return { kind: "key", key: { version: "v1a", key: await importPrivate(seed, false) } };
}

async function readPublic(bytes: Uint8Array<ArrayBuffer>): Promise<SecretReading> {
  if (bytes.length !== 32) return invalid(`has ${bytes.length} bytes, expected 32`);
  const key = await crypto.subtle.importKey("raw", bytes, ED25519, false, ["verify"]);
  return { kind: "key", key: { version: "v1a", key } };
}

/**
 * Reads a secret as it is handed to people. `whsk_` signs only and `whpk_` verifies only; `whsec_` does both.
 * @source Standard Webhooks 1.0.0, Signature scheme
 */
export async function readSecret(text: string): Promise<SecretReading> {
  const [, prefix, encoded = ""] = /^(whsec|whsk|whpk)_(.*)$/s.exec(text) ?? [];
  const bytes = fromBase64(encoded);
  if (prefix === undefined || bytes === null) return invalid(`is not a webhook secret; ${FORMS}`);
  switch (prefix) {
    case "whsec":
      return readShared(bytes);
    case "whsk":
      return readPrivate(bytes);
    default:
      return readPublic(bytes);
  }
}

/** The active keys of one endpoint for one use. A secret that cannot serve it is our caller's bug and throws. */
export async function openKeys(secrets: readonly string[], use: "sign" | "verify"): Promise<readonly WebhookKey[]> {
  assert(secrets.length > 0, `webhook: no secret to ${use} with; give at least one`);
  return Promise.all(
    secrets.map(async (text, index) => {
      const reading = await readSecret(text);
      assert(
        reading.kind === "key",
        `webhook: secret ${index + 1} ${reading.kind === "invalid" ? reading.reason : ""}`,
      );
      const wanted = use === "sign" ? "whsec_ or whsk_" : "whsec_ or whpk_";
      assert(reading.key.key.usages.includes(use), `webhook: secret ${index + 1} cannot ${use}, expected ${wanted}`);
      return reading.key;
    }),
  );
}

/** A new shared secret of 32 random bytes. One for each endpoint, never two endpoints with the same. */
export function createSharedSecret(random: Random = systemRandom): string {
  return `whsec_${toBase64(random.bytes(32))}`;
}

/** A new ed25519 key pair: the sender keeps `privateKey`, the receiver gets `publicKey`. */
export async function createKeyPair(
  random: Random = systemRandom,
): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const seed = random.bytes(32);
  return { privateKey: `whsk_${toBase64(seed)}`, publicKey: `whpk_${toBase64(await publicBytesOf(seed))}` };
}
