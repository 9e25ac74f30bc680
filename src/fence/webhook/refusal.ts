/** Why a received webhook was not kept. `type` of the problem is `urn:sluice:problem:` and this name. */
export type WebhookProblem =
  | "webhook-too-large"
  | "webhook-not-verified"
  | "webhook-invalid"
  | "webhook-conflict"
  | "webhook-unavailable";

const KINDS: Readonly<Record<WebhookProblem, { readonly status: number; readonly title: string }>> = {
  "webhook-too-large": { status: 413, title: "The webhook is too large" },
  "webhook-not-verified": { status: 401, title: "The webhook is not verified" },
  "webhook-invalid": { status: 400, title: "The webhook is not an event this endpoint knows" },
  "webhook-conflict": { status: 422, title: "This event was received before with another body" },
  "webhook-unavailable": { status: 503, title: "The webhook could not be kept; send it again later" },
};

/** A problem+json answer that no cache may keep. `detail` says what was found and what to do. @source RFC 9457 */
export function refuseWebhook(
  problem: WebhookProblem,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { status, title } = KINDS[problem];
  const body = JSON.stringify({ type: `urn:sluice:problem:${problem}`, title, status, detail });
  const fixed = { "content-type": "application/problem+json", "cache-control": "no-store" };
  return new Response(body, { status, headers: { ...fixed, ...headers } });
}
