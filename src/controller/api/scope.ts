import type { Right } from "../../contract/scope.ts";

/** Requests that read although they are sent with POST, because they carry a document. */
const READS_BY_POST: ReadonlySet<string> = new Set(["/v1/claims"]);

/**
 * The right that a request needs; null when it needs none. The bucket seed is in routing documents, and whoever knows
 * it can compute who gets a candidate, so reading them is a right of its own.
 * @param hasOpenMetrics true when `/metrics` is told to everybody
 */
export function rightOf(method: string, path: string, hasOpenMetrics: boolean): Right | null {
  if (path === "/healthz") return null;
  if (path === "/openapi.json") return null; // It says nothing of the installation, and tools fetch it bare.
  if (path === "/metrics") return hasOpenMetrics ? null : "read";
  if (path.startsWith("/v1/routing/")) return "routing";
  if (path === "/v1/telemetry") return "telemetry";
  if (path.startsWith("/v1/services/") && path.endsWith("/grant")) return "grant";
  if (path === "/v1/backup") return "tokens"; // They are in it.
  if (path === "/v1/prune") return "tokens"; // Who may remove the record of what others did may do anything.
  if (path === "/v1/key/rotate") return "tokens"; // Whom gateways believe is decided by who hands out credentials.
  if (path === "/v1/tokens" || path.startsWith("/v1/tokens/")) return "tokens";
  const isRead = method === "GET" || method === "HEAD" || READS_BY_POST.has(path);
  return isRead ? "read" : "operate";
}
