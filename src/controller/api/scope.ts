/** What a request needs of whoever sends it. */
export type Right = "read" | "operate" | "routing" | "telemetry" | "tokens";

/**
 * Every scope a token can have, with what it may do and the words for people. One table: what comes later is added here
 * and nowhere else.
 */
export const SCOPES = {
  view: { rights: ["read"], says: "reads rollouts, reports, services and events" },
  operate: { rights: ["read", "operate"], says: "reads, and gives every command about rollouts and services" },
  gateway: { rights: ["routing", "telemetry"], says: "gets routing documents and sends telemetry, nothing else" },
  telemetry: { rights: ["telemetry"], says: "sends telemetry, nothing else" },
  admin: {
    rights: ["read", "operate", "routing", "telemetry", "tokens"],
    says: "everything: tokens, backups and prune too",
  },
} as const satisfies Readonly<Record<string, { readonly rights: readonly Right[]; readonly says: string }>>;

export type Scope = keyof typeof SCOPES;

export const SCOPE_NAMES = Object.keys(SCOPES) as readonly Scope[];

/** True when a scope gives a right. */
export function mayDo(scope: Scope, right: Right): boolean {
  return (SCOPES[scope].rights as readonly Right[]).includes(right);
}

/** The scopes that give a right, for people. */
export function scopesWith(right: Right): string {
  return SCOPE_NAMES.filter((scope) => mayDo(scope, right)).join(" or ");
}

/** Requests that read although they are sent with POST, because they carry a document. */
const READS_BY_POST: ReadonlySet<string> = new Set(["/v1/claims"]);

/**
 * The right that a request needs; null when it needs none. The bucket seed is in routing documents, and whoever knows
 * it can compute who gets a candidate, so reading them is a right of its own.
 * @param hasOpenMetrics true when `/metrics` is told to everybody
 */
export function rightOf(method: string, path: string, hasOpenMetrics: boolean): Right | null {
  if (path === "/healthz") return null;
  if (path === "/metrics") return hasOpenMetrics ? null : "read";
  if (path.startsWith("/v1/routing/")) return "routing";
  if (path === "/v1/telemetry") return "telemetry";
  if (path === "/v1/backup") return "tokens"; // They are in it.
  if (path === "/v1/prune") return "tokens"; // Who may remove the record of what others did may do anything.
  if (path === "/v1/key/rotate") return "tokens"; // Whom gateways believe is decided by who hands out credentials.
  if (path === "/v1/tokens" || path.startsWith("/v1/tokens/")) return "tokens";
  const isRead = method === "GET" || method === "HEAD" || READS_BY_POST.has(path);
  return isRead ? "read" : "operate";
}
