import { RETENTION_MS } from "../retention.ts";
import { sha256Hex } from "../digest.ts";

/** Which event of which sender, and what is done about it. */
export interface DedupeSource {
  readonly tenant: string;
  readonly provider: string;
  readonly endpoint: string;
  readonly eventId: string;
  /** Null where the sender's events have none. */
  readonly revision: number | null;
  readonly action: string;
}

const encoder = new TextEncoder();

/** Each part as its length in bytes (32 bits, big endian) and its UTF-8, so that no two lists are the same bytes. */
function lengthPrefixed(parts: readonly string[]): Uint8Array<ArrayBuffer> {
  const encoded = parts.map((part) => encoder.encode(part));
  const bytes = new Uint8Array(encoded.reduce((sum, part) => sum + 4 + part.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of encoded) {
    view.setUint32(at, part.length);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  return bytes;
}

const partsOf = ({ tenant, provider, endpoint, eventId, revision, action }: DedupeSource) => [
  tenant,
  provider,
  endpoint,
  eventId,
  revision === null ? "" : `${revision}`,
  action,
];

/**
 * Key of one received event. It holds no timestamp, index, release, region or re-serialised body, so that one event
 * delivered to both sides of a cutover has one key.
 * @returns 64 lower-case hexadecimal characters
 * @source reliability.md, Webhook dedupe and signing
 */
export function dedupeKey(source: DedupeSource): Promise<string> {
  return sha256Hex(lengthPrefixed(partsOf(source)));
}

/**
 * Key of an event whose sender gives no id: the digest of its body stands for one. Weak, because two real events with
 * the same body are taken for one; never made stronger with a clock value, which would let every retry through.
 */
export function weakDedupeKey(source: Omit<DedupeSource, "eventId">, bodyDigest: string): Promise<string> {
  return sha256Hex(lengthPrefixed([...partsOf({ ...source, eventId: bodyDigest }), "weak"]));
}

/**
 * How long a received key is remembered after its last delivery: max(14 d, twice the time over which its sender
 * retries).
 * @source reliability.md, Webhook dedupe and signing
 */
export function dedupeWindowMs(senderHorizonMs: number): number {
  return Math.max(RETENTION_MS.webhooks, 2 * senderHorizonMs);
}
