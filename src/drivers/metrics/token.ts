import { readFile } from "node:fs/promises";
import { DriverError } from "../../ports/driver-error.ts";

/** Gives the bearer token of one request. Asked every time, so that a rotated token is taken up without a restart. */
export type TokenSource = () => string | Promise<string>;

/** A token kept in a file, as Kubernetes and Docker mount secrets. White space around it is dropped. */
export function tokenFile(path: string): TokenSource {
  return async () => {
    let text: string;
    try {
      text = (await readFile(path, "utf8")).trim();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new DriverError("unauthorized", "never", `the token file ${path} cannot be read (${code}); mount it`);
    }
    if (text !== "") return text;
    throw new DriverError("unauthorized", "never", `the token file ${path} is empty; expected one token; fill it in`);
  };
}

/**
 * The value of the Authorization header. Its errors carry neither the token nor a cause: runtimes quote a header they
 * refuse.
 */
export async function authorization(driver: string, token: TokenSource): Promise<string> {
  let text: string;
  try {
    text = await token();
  } catch (error) {
    const what = error instanceof DriverError ? error.message : `the token function failed (${(error as Error)?.name})`;
    throw new DriverError("unauthorized", "never", `${driver}: ${what}`);
  }
  if (/^[\x21-\x7e]+$/.test(text)) return `Bearer ${text}`;
  const found = text === "" ? "is empty" : "has characters that no header may carry";
  throw new DriverError("unauthorized", "never", `${driver}: the bearer token ${found}; expected one printable word`);
}
