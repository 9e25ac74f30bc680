import { readFile } from "node:fs/promises";
import { DriverError } from "../ports/driver-error.ts";

/** What a secret's file holds, white space around it dropped; null for no file. Its errors never quote the secret. */
export async function readSecretFile(driver: string, path: string | null): Promise<string | null> {
  if (path === null) return null;
  let text: string;
  try {
    text = (await readFile(path, "utf8")).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = `${driver}: the secret file ${path} cannot be read (${code}); mount it`;
    throw new DriverError("unauthorized", "never", what);
  }
  if (text !== "") return text;
  throw new DriverError("unauthorized", "never", `${driver}: the secret file ${path} is empty; fill it in`);
}
