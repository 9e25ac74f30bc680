/** One POST of a webhook, exactly as it must go out. `body` is sent byte for byte, because the signature covers it. */
export interface WebhookPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Whole exchange, connect to last byte; the answer counts as lost afterwards. */
  readonly timeoutMs: number;
}

/** What came of one POST. Expected outcomes are values: a partner that is down is daily life. */
export type WebhookAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** `Retry-After` as the partner wrote it; null without one. */
      readonly retryAfter: string | null;
    }
  /** Refused before a byte was sent: the address is not one that webhooks may reach. Never retried. */
  | { readonly kind: "blocked"; readonly reason: string }
  /** No connection: nothing was sent, so trying again is safe. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** Sent, but no answer arrived: the partner may or may not have taken it. */
  | { readonly kind: "lost"; readonly reason: string };

/** Sends webhooks. Follows no redirects and reads no more of the answer than its head. */
export interface WebhookTransport {
  post(order: WebhookPost): Promise<WebhookAnswer>;
}
