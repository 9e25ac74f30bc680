import { randomBytes } from "node:crypto";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The token of a data directory: made once, readable by its owner alone. */
export async function openTokenFile(dataDir: string): Promise<{ readonly path: string; readonly token: string }> {
  const path = join(dataDir, "token");
  const fresh = randomBytes(32).toString("base64url");
  try {
    await writeFile(path, `${fresh}\n`, { mode: 0o600, flag: "wx" });
    return { path, token: fresh };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  await chmod(path, 0o600); // Somebody may have copied it carelessly; the secret in it is what changes are trusted by.
  return { path, token: (await readFile(path, "utf8")).trim() };
}
