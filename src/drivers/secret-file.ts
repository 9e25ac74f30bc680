import { readFile } from "node:fs/promises";
import { DriverError } from "../ports/driver-error.ts";
import { keepSecret } from "./secrets.ts";

/** A password of an address as it is; one that is not encoded right is taken as it stands. */
function plain(password: string): string {
  try {
    return decodeURIComponent(password);
  } catch {
    return password;
  }
}

/**
 * The secret in a file, without the white space around it; from now on it is taken out of what is written to people.
 * Null without a file.
 * @throws DriverError `unauthorized`: the file cannot be read or is empty
 */
export async function readSecretFile(driver: string, path: string | null): Promise<string | null> {
  if (path === null) return null;
  let text: string;
  try {
    text = (await readFile(path, "utf8")).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DriverError(
      "unauthorized",
      "never",
      `${driver}: the secret file ${path} cannot be read (${code}); mount it`,
    );
  }
  if (text === "") {
    const what = `${driver}: the secret file ${path} is empty; expected one password, token or address; fill it in`;
    throw new DriverError("unauthorized", "never", what);
  }
  keepSecret(text);
  if (URL.canParse(text)) keepSecret(plain(new URL(text).password)); // It may be repeated without its address too.
  return text;
}
