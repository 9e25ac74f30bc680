import { randomBytes } from "node:crypto";
import { chmod, link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../probe/input-error.ts";

const TOKEN_BYTES = 32;
const TOKEN = /^[\w-]{43}$/;

/** Whether a text can be a token of ours. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Names of a data directory's token files: the owner's, which allows everything, and the gateways'. */
export const TOKEN_FILES = { admin: "token", gateway: "gateway-token" } as const;

/**
 * A token of a data directory: made once, readable by its owner alone.
 * @throws InputError when the file holds no token of ours; a short one would be guessed, so it is not accepted
 */
export async function openTokenFile(
  dataDir: string,
  name: (typeof TOKEN_FILES)[keyof typeof TOKEN_FILES] = TOKEN_FILES.admin,
): Promise<{ readonly path: string; readonly token: string }> {
  const path = join(dataDir, name);
  const draft = join(dataDir, `draft.${randomBytes(8).toString("hex")}`);
  await writeFile(draft, `${randomBytes(TOKEN_BYTES).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  try {
    await link(draft, path); // Whole or not at all: a crash never leaves an empty token.
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await chmod(path, 0o600); // Somebody may have copied it carelessly; the secret in it is what changes are trusted by.
  const token = (await readFile(path, "utf8")).trim();
  if (!TOKEN.test(token)) {
    const found = token === "" ? "is empty" : "holds something else";
    const advice = "remove it and start again: a new one is made, which whoever copied the old one needs too";
    throw new InputError("file", `${path} ${found}; expected a token of 43 characters; ${advice}`);
  }
  return { path, token };
}
