import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findController } from "./data-directory-lock.ts";
import { isToken, TOKEN_FILES } from "./token-file.ts";

/** A controller and the credential for it. */
export interface KnownController {
  readonly url: string;
  readonly token: string;
}

/** Address of a controller on another machine, as `sluice token use` left it in the data directory. */
const ADDRESS_FILE = "controller";

async function textOf(path: string): Promise<string | null> {
  return readFile(path, "utf8").then(
    (text) => text.trim(),
    () => null,
  );
}

/** Where a data directory's controller is: the process that owns it, or the address it was told; null for neither. */
export async function knownAddress(dataDir: string): Promise<string | null> {
  return (await findController(dataDir))?.apiUrl ?? textOf(join(dataDir, ADDRESS_FILE));
}

/**
 * What a gateway may speak to: the named controller or that of its data directory, with the gateways' credential. Else
 * what is missing, as a sentence for whoever started it.
 */
export async function gatewayController(named: string | null, dataDir: string): Promise<KnownController | string> {
  const url = named ?? (await knownAddress(dataDir));
  if (url === null) return `no controller owns ${dataDir} yet`;
  const path = join(dataDir, TOKEN_FILES.gateway);
  const token = await textOf(path);
  if (token !== null && isToken(token)) return { url, token };
  const found = token === null ? "is missing or cannot be read" : token === "" ? "is empty" : "holds no token";
  const advice =
    "run `sluice token create NAME --scope gateway` at the controller, and here the command that it prints";
  return `${path} ${found}, expected the credential for the controller at ${url}; ${advice}`;
}

/** Keeps a credential and the address it is for, readable by the owner alone. */
export async function keepCredential(
  dataDir: string,
  { url, token }: KnownController,
  file: (typeof TOKEN_FILES)[keyof typeof TOKEN_FILES],
): Promise<void> {
  await writeFile(join(dataDir, file), `${token}\n`, { mode: 0o600 });
  await writeFile(join(dataDir, ADDRESS_FILE), `${url}\n`, { mode: 0o600 });
}
