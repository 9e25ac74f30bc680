import type { Context } from "hono";
import { z } from "zod";
import { type KeyAnswer, rotateBody } from "../../contract/credentials.ts";
import { kidOf } from "../../core/routing/signature.ts";
import type { SigningKey } from "../../ports/document-signer.ts";
import type { Controller } from "../controller.ts";
import { parseJson, readBody } from "./body.ts";
import { BEARER_NAME } from "./guard.ts";
import { problemResponse } from "./problem.ts";

const BODY_MAX_BYTES = 1_024;

function wire({ publicKey, succession }: SigningKey): KeyAnswer {
  const before = succession.map(({ by }) => ({ kid: kidOf(by), public_key: by }));
  return { kid: kidOf(publicKey), public_key: publicKey, retired: before };
}

/** `GET /v1/key`: the public key that data planes on other machines are told, and those that it followed. */
export function getKey({ keys }: Controller): Response {
  return keys.current === null
    ? problemResponse("not-found", "this controller signs no documents")
    : Response.json(wire(keys.current));
}

/** `POST /v1/key/rotate`: a new key signs from now on. The body names the one to be replaced, so it happens once. */
export async function postRotate(
  context: Context,
  { keys, feed }: Controller,
  now: () => number,
  log: (line: string) => void,
): Promise<Response> {
  const text = await readBody(context, BODY_MAX_BYTES);
  const parsed = rotateBody.safeParse(text === null ? undefined : parseJson(text));
  if (!parsed.success) return problemResponse("bad-request", z.prettifyError(parsed.error));
  const { from } = parsed.data;
  const key = await keys.rotate(from);
  if (key === null) {
    const found =
      keys.current === null ? "this controller signs nothing" : `${kidOf(keys.current.publicKey)} signs now`;
    return problemResponse("conflict", `key ${from} is not the one in force; ${found}`);
  }
  const said = `key ${kidOf(key.publicKey)} signs from now on instead of ${from}, by order of ${String(context.get(BEARER_NAME))}`;
  feed.publish(now(), { type: "note", rollout: null, text: said });
  log(said);
  return Response.json(wire(key));
}
