import { z } from "zod";
import { scopeName } from "./scope.ts";
import { timeMs, type Wire } from "./wire.ts";

const LIFE_MAX_MS = 366 * 86_400_000;

const publicKey = z.strictObject({ kid: z.string(), public_key: z.string() });

/** What `GET /v1/key` and `POST /v1/key/rotate` answer. */
export const keyAnswer = publicKey.extend({ retired: z.array(publicKey).describe("the keys before it, oldest first") });

/** Names the key to be replaced, so that a rotation happens once. */
export const rotateBody = z.strictObject({ from: z.string().max(128) });

/** The secret is made by the sender, so that no answer of ours, stored or repeated, ever holds one. */
export const tokenBody = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "expected lower-case letters, digits and hyphens"),
  scope: scopeName,
  secret: z.string().regex(/^[\w-]{43}$/, "expected 32 random bytes in base64url"),
  expires_in_ms: z.int().min(1_000).max(LIFE_MAX_MS).nullable(),
});

/** What `POST /v1/tokens` answers. */
export const tokenMadeAnswer = z.strictObject({
  name: z.string(),
  scope: scopeName,
  expires_at: timeMs.nullable().describe("null: it counts until it is revoked"),
});

/** One token of `GET /v1/tokens`, and what `POST /v1/tokens/{name}/revoke` answers; never a secret. */
export const tokenAnswer = tokenMadeAnswer.extend({ created_at: timeMs, revoked_at: timeMs.nullable() });

export const tokensAnswer = z.strictObject({ tokens: z.array(tokenAnswer) });

export type KeyAnswer = Wire<typeof keyAnswer>;
export type TokenMadeAnswer = Wire<typeof tokenMadeAnswer>;
export type TokenAnswer = Wire<typeof tokenAnswer>;
export type TokensAnswer = Wire<typeof tokensAnswer>;
