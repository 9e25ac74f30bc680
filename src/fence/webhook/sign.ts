import { assert } from "../../core/assert.ts";
import type { EpochMs } from "../../core/unit.ts";
import { toBase64 } from "./base64.ts";
import { openKeys, type WebhookKey } from "./secret.ts";

const encoder = new TextEncoder();

/** 1 to 255 visible ASCII characters without a full stop, which would let an id reach into the timestamp. */
export const WEBHOOK_ID = /^[!-\-/-~]{1,255}$/;

/** Longest accepted `webhook-signature`, in characters; dozens of signatures fit. */
export const SIGNATURE_HEADER_MAX = 4_096;

/** The bytes that are signed: `id.timestamp.body`, the body byte for byte. @source Standard Webhooks 1.0.0 */
export function signedContent(id: string, timestamp: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = encoder.encode(`${id}.${timestamp}.`);
  const content = new Uint8Array(head.length + body.length);
  content.set(head);
  content.set(body, head.length);
  return content;
}

/** The name by which WebCrypto signs and verifies under a key. */
export function algorithmOf(key: WebhookKey): "HMAC" | "Ed25519" {
  return key.version === "v1" ? "HMAC" : "Ed25519";
}

/** One attempt to be signed. */
export interface UnsignedWebhook {
  /** The same for every attempt of one event, from every region: the effect key. */
  readonly id: string;
  /** When this attempt is made; it changes with every attempt. */
  readonly attemptAt: EpochMs;
  readonly body: Uint8Array;
}

/** The three headers of Standard Webhooks. */
export type WebhookHeaders = Readonly<Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>>;

/** Signs for one endpoint. */
export interface WebhookSigner {
  sign(webhook: UnsignedWebhook): Promise<WebhookHeaders>;
}

/**
 * A signer with every active secret of an endpoint, newest first: during a rotation both sign, and the receiver needs
 * only one that it knows. Throws on a secret it cannot sign with.
 */
export async function webhookSigner(secrets: readonly string[]): Promise<WebhookSigner> {
  const keys = await openKeys(secrets, "sign");
  return {
    async sign({ id, attemptAt, body }) {
      assert(WEBHOOK_ID.test(id), `a webhook id is 1..255 visible ASCII characters without a full stop: ${id}`);
      const timestamp = `${Math.floor(attemptAt / 1_000)}`;
      const content = signedContent(id, timestamp, body);
      const signatures = await Promise.all(
        keys.map(async (key) => {
          const bytes = new Uint8Array(await crypto.subtle.sign(algorithmOf(key), key.key, content));
          return `${key.version},${toBase64(bytes)}`;
        }),
      );
      return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
    },
  };
}
