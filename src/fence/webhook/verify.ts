import { type EpochMs, epochMs } from "../../core/unit.ts";
import { fromBase64 } from "./base64.ts";
import { openKeys, type WebhookKey } from "./secret.ts";
import { algorithmOf, SIGNATURE_HEADER_MAX, signedContent, WEBHOOK_ID } from "./sign.ts";

/** Largest difference between the timestamp and our wall clock, either way. @source reliability.md, Webhook dedupe */
export const TIMESTAMP_TOLERANCE_MS = 300_000;

/** One webhook as it arrived: raw body bytes, never re-serialised JSON. */
export interface ArrivedWebhook {
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export type InvalidReason =
  /** A header of the three is missing or not of its form; two copies of one header are not of its form either. */
  | "header-missing"
  | "header-malformed"
  /** No signature was made with a key we trust. */
  | "signature-mismatch"
  /** Signed by a trusted key, but too long ago (a replay) or too far ahead. */
  | "timestamp-too-old"
  | "timestamp-too-new";

export type Verification =
  /** `id` null: this sender gives its events no id. */
  | { readonly kind: "valid"; readonly id: string | null; readonly sentAt: EpochMs }
  | { readonly kind: "invalid"; readonly reason: InvalidReason };

/** Decides whether a webhook is genuine and fresh. Write your own for a sender with another scheme. */
export interface WebhookVerifier {
  verify(webhook: ArrivedWebhook, now: EpochMs): Promise<Verification>;
}

interface Signature {
  readonly version: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Version and base64, joined by a comma. Versions we do not know are passed over, as the specification asks. */
const SIGNATURE = /^(v[0-9]{1,3}[a-z]?),([A-Za-z0-9+/=]{1,512})$/;
/** Whole seconds without sign or leading zero. */
const TIMESTAMP = /^[1-9][0-9]{0,11}$/;

/** Every signature of a header, or null when a part of it is not one. */
function readSignatures(header: string): readonly Signature[] | null {
  if (header.length > SIGNATURE_HEADER_MAX) return null;
  const signatures = header.split(" ").map((text) => {
    const [, version, encoded = ""] = SIGNATURE.exec(text) ?? [];
    const bytes = fromBase64(encoded);
    return version === undefined || bytes === null ? null : { version, bytes };
  });
  return signatures.includes(null) ? null : (signatures as readonly Signature[]);
}

/**
 * True when one signature was made with one of the keys. The runtime compares: its HMAC verification takes the same
 * time wherever the first difference is, and its ed25519 verification refuses the second form of a signature (RFC 8032,
 * 5.1.7).
 */
async function isSigned(
  keys: readonly WebhookKey[],
  signatures: readonly Signature[],
  content: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  for (const key of keys) {
    for (const { version, bytes } of signatures) {
      if (version !== key.version) continue;
      if (await crypto.subtle.verify(algorithmOf(key), key.key, bytes, content)) return true;
    }
  }
  return false;
}

const invalid = (reason: InvalidReason): Verification => ({ kind: "invalid", reason });

/**
 * Verifies Standard Webhooks with any active secret: `whsec_` (`v1`) and `whpk_` (`v1a`). The signature is checked
 * before the timestamp, so that only a genuine webhook is ever called late. Throws on a secret it cannot verify with.
 * @source Standard Webhooks 1.0.0, Verifying signatures
 */
export async function webhookVerifier(secrets: readonly string[]): Promise<WebhookVerifier> {
  const keys = await openKeys(secrets, "verify");
  return {
    async verify({ headers, body }, now) {
      const [id, timestamp, header] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) =>
        headers.get(name),
      );
      if (!id || !timestamp || !header) return invalid("header-missing");
      const signatures = readSignatures(header);
      if (!WEBHOOK_ID.test(id) || !TIMESTAMP.test(timestamp) || signatures === null) return invalid("header-malformed");
      if (!(await isSigned(keys, signatures, signedContent(id, timestamp, body)))) return invalid("signature-mismatch");
      const sentAt = epochMs(Number(timestamp) * 1_000);
      if (now - sentAt > TIMESTAMP_TOLERANCE_MS) return invalid("timestamp-too-old");
      if (sentAt - now > TIMESTAMP_TOLERANCE_MS) return invalid("timestamp-too-new");
      return { kind: "valid", id, sentAt };
    },
  };
}
