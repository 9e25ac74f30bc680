import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isPublicKey } from "../core/routing/signature.ts";
import type { KnownKeys } from "../plane/key-ring.ts";
import { NO_KEYS } from "../plane/key-ring.ts";
import { InputError } from "../probe/input-error.ts";

/** Where a data directory keeps the public keys of its controller, for the gateways that run out of it. */
export const KNOWN_KEYS_FILE = "controller-key";

const LINES_MAX = 100;

/**
 * The keys a text names: one on each line, and `retired` before a key that has handed over to another one.
 * @throws InputError with the place and what was expected
 */
export function parseKnownKeys(text: string, place: string): KnownKeys {
  const lines = text.split("\n").map((line) => line.trim());
  const said = lines.filter((line) => line !== "" && !line.startsWith("#")).slice(0, LINES_MAX);
  const wrong = said.find((line) => !isPublicKey(line.replace(/^retired\s+/, "")));
  if (said.length === 0 || wrong !== undefined) {
    const found = wrong === undefined ? "is empty" : `holds "${wrong.slice(0, 60)}"`;
    const expected = "expected the controller's public key, ed25519: and 64 hexadecimal digits";
    throw new InputError("file", `${place} ${found}; ${expected}; \`sluice key show\` at the controller prints it`);
  }
  const isRetired = (line: string) => line.startsWith("retired");
  return {
    trusted: said.filter((line) => !isRetired(line)),
    retired: said.filter(isRetired).map((line) => line.replace(/^retired\s+/, "")),
  };
}

/**
 * The keys that a data directory knows; none when it was told none.
 * @throws InputError when the file holds something else
 */
export async function readKnownKeys(dataDir: string): Promise<KnownKeys> {
  const path = join(dataDir, KNOWN_KEYS_FILE);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  return text === null ? NO_KEYS : parseKnownKeys(text, path);
}

/** Writes what a data directory's gateways believe, whole or not at all. */
export async function writeKnownKeys(dataDir: string, { trusted, retired }: KnownKeys): Promise<void> {
  const path = join(dataDir, KNOWN_KEYS_FILE);
  const draft = `${path}.${randomBytes(4).toString("hex")}`;
  const lines = [...trusted, ...retired.map((key) => `retired ${key}`)];
  await writeFile(draft, `${lines.join("\n")}\n`, { mode: 0o600, flag: "wx" });
  await rename(draft, path);
}
