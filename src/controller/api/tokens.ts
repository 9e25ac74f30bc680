import type { Context } from "hono";
import { z } from "zod";
import { epochMs } from "../../core/unit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StoredToken } from "../../ports/controller-store.ts";
import type { TokenBook } from "../token-book.ts";
import { parseJson, readBody } from "./body.ts";
import { problemResponse } from "./problem.ts";
import { SCOPE_NAMES, type Scope } from "./scope.ts";

const BODY_MAX_BYTES = 65_536;
const LIFE_MAX_MS = 366 * 86_400_000;

/** The secret is made by the sender, so that no answer of ours, stored or repeated, ever holds one. */
const createBody = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "expected lower-case letters, digits and hyphens"),
  scope: z.enum(SCOPE_NAMES as [Scope, ...Scope[]]),
  secret: z.string().regex(/^[\w-]{43}$/, "expected 32 random bytes in base64url"),
  expires_in_ms: z.int().min(1_000).max(LIFE_MAX_MS).nullable(),
});

function wire({ name, scope, createdAt, expiresAt, revokedAt }: StoredToken) {
  return { name, scope, created_at: createdAt, expires_at: expiresAt, revoked_at: revokedAt };
}

/** `GET /v1/tokens`: names, scopes and ends of all tokens; never a secret. */
export function listTokens(book: TokenBook): Response {
  return Response.json({ tokens: book.list().map(wire) });
}

/** `POST /v1/tokens`: believes a secret that the sender made, until it expires. */
export async function postToken(context: Context, book: TokenBook, clock: Clock): Promise<Response> {
  const text = await readBody(context, BODY_MAX_BYTES);
  const parsed = createBody.safeParse(text === null ? undefined : parseJson(text));
  if (!parsed.success) return problemResponse("bad-request", z.prettifyError(parsed.error));
  const { name, scope, secret, expires_in_ms: lifeMs } = parsed.data;
  const expiresAt = lifeMs === null ? null : epochMs(clock.wallMs() + lifeMs);
  if (await book.add(secret, { name, scope, expiresAt })) return Response.json({ name, scope, expires_at: expiresAt });
  const advice = `revoke it first (sluice token revoke ${name}), or choose another name`;
  return problemResponse("conflict", `a token named "${name}" is in force; ${advice}`);
}

/** `POST /v1/tokens/{name}/revoke`: nobody is believed with it any more, from this moment on. */
export async function postRevoke(name: string, book: TokenBook): Promise<Response> {
  const token = await book.revoke(name);
  if (token !== null) return Response.json(wire(token));
  const known = book.list().map((one) => one.name);
  return problemResponse("not-found", `no token "${name}"; known: ${known.join(", ") || "none"}`);
}
