import type { ArmPlan } from "../core/stage/plan.ts";

/**
 * One spelling for all URLs of one place: lower-case scheme and host, no default port, no final slash, `localhost` as
 * 127.0.0.1.
 * @source definitions.md §13
 */
export function normalUrl(text: string): string {
  const url = new URL(text); // The parser lower-cases scheme and host and drops a default port.
  if (url.hostname === "localhost" || url.hostname === "localhost.") url.hostname = "127.0.0.1";
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}${url.search}`;
}

/** Normal URL of an arm; an arm of a plan that was stored before arms had one is where its questions were answered. */
export function armUrl({ url, answerUrl, endpoints }: ArmPlan): string {
  return normalUrl(url ?? answerUrl ?? endpoints[0] ?? "http://unknown.invalid");
}

/** Release that a document named for an arm; null when it named none and the host stands in its place. */
export function namedRelease(arm: ArmPlan): string | null {
  return arm.releaseId === new URL(arm.url ?? arm.endpoints[0] ?? "http://unknown.invalid").host ? null : arm.releaseId;
}
