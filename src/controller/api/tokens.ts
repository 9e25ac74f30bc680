import type { Context } from "hono";
import { z } from "zod";
import { type TokenAnswer, tokenBody, type TokenMadeAnswer, type TokensAnswer } from "../../contract/credentials.ts";
import { epochMs } from "../../core/unit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StoredToken } from "../../ports/controller-store.ts";
import type { TokenBook } from "../token-book.ts";
import { parseJson, readBody } from "./body.ts";
import { problemResponse } from "./problem.ts";

const BODY_MAX_BYTES = 65_536;

function wire({ name, scope, createdAt, expiresAt, revokedAt }: StoredToken): TokenAnswer {
  return { name, scope, created_at: createdAt, expires_at: expiresAt, revoked_at: revokedAt };
}

/** `GET /v1/tokens`: names, scopes and ends of all tokens; never a secret. */
export function listTokens(book: TokenBook): Response {
  return Response.json({ tokens: book.list().map(wire) } satisfies TokensAnswer);
}

/** `POST /v1/tokens`: believes a secret that the sender made, until it expires. */
export async function postToken(context: Context, book: TokenBook, clock: Clock): Promise<Response> {
  const text = await readBody(context, BODY_MAX_BYTES);
  const parsed = tokenBody.safeParse(text === null ? undefined : parseJson(text));
  if (!parsed.success) return problemResponse("bad-request", z.prettifyError(parsed.error));
  const { name, scope, secret, expires_in_ms: lifeMs } = parsed.data;
  const expiresAt = lifeMs === null ? null : epochMs(clock.wallMs() + lifeMs);
  if (await book.add(secret, { name, scope, expiresAt }))
    return Response.json({ name, scope, expires_at: expiresAt } satisfies TokenMadeAnswer);
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
