import type { ClaimedRow, OutboxRow } from "../../../ports/outbox-store.ts";

/** Characters given to `String.fromCharCode` at once: below every engine's limit of arguments. */
const CHUNK = 8_192;

/** Bytes as base64 text: every PostgreSQL client sends text alike. */
function base64Of(bytes: Uint8Array): string {
  let binary = "";
  for (let from = 0; from < bytes.length; from += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(from, from + CHUNK));
  }
  return btoa(binary);
}

/** What the columns `payload` and `is_bytes` hold. */
export function storedPayload({ payload }: OutboxRow): { readonly text: string; readonly isBytes: boolean } {
  return typeof payload === "string" ? { text: payload, isBytes: false } : { text: base64Of(payload), isBytes: true };
}

export interface EventRow {
  readonly id: string;
  readonly effect_key: string;
  readonly topic: string;
  readonly order_key: string | null;
  readonly payload: string;
  readonly is_bytes: boolean;
  readonly headers: string;
  readonly tries: number;
}

/** The event of a row as the port gives it. */
export function eventOf(row: EventRow): Omit<ClaimedRow, "token" | "doubtful"> {
  const { id, topic, tries } = row;
  const payload = row.is_bytes ? Uint8Array.from(atob(row.payload), (char) => char.charCodeAt(0)) : row.payload;
  const headers = JSON.parse(row.headers) as ClaimedRow["headers"];
  return { id, effectKey: row.effect_key, topic, orderKey: row.order_key, payload, headers, tries };
}
