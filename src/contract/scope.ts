import { z } from "zod";

/** What a request needs of whoever sends it. */
export type Right = "read" | "operate" | "routing" | "telemetry" | "grant" | "tokens";

/**
 * Every scope a token can have, with what it may do and the words for people. One table: what comes later is added here
 * and nowhere else.
 */
export const SCOPES = {
  view: { rights: ["read"], says: "reads rollouts, reports, services and events" },
  operate: { rights: ["read", "operate", "grant"], says: "reads, and gives every command about rollouts and services" },
  gateway: { rights: ["routing", "telemetry"], says: "gets routing documents and sends telemetry, nothing else" },
  telemetry: { rights: ["telemetry"], says: "sends telemetry, nothing else" },
  worker: { rights: ["grant"], says: "asks whether it may act on the effects of a service, nothing else" },
  admin: {
    rights: ["read", "operate", "routing", "telemetry", "grant", "tokens"],
    says: "everything: tokens, backups and prune too",
  },
} as const satisfies Readonly<Record<string, { readonly rights: readonly Right[]; readonly says: string }>>;

export type Scope = keyof typeof SCOPES;

export const SCOPE_NAMES = Object.keys(SCOPES) as readonly Scope[];

export const scopeName = z.enum(SCOPE_NAMES as [Scope, ...Scope[]]);

/** True when a scope gives a right. */
export function mayDo(scope: Scope, right: Right): boolean {
  return (SCOPES[scope].rights as readonly Right[]).includes(right);
}

/** The scopes that give a right, for people. */
export function scopesWith(right: Right): string {
  return SCOPE_NAMES.filter((scope) => mayDo(scope, right)).join(" or ");
}
