import type { StoreServer } from "../host/open-store.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** Where the password of a store's server is, so that no list of processes shows it. */
const PASSWORD_VARIABLE = "SLUICE_STORE_PASSWORD";

/**
 * The server that `--store` names; null where it names none. The address is not repeated in a refusal: there may be a
 * password in it.
 * @throws CliError when it is no address of a PostgreSQL database, or has a password in it
 */
export function storeServer(address: string | undefined, env = process.env): StoreServer | null {
  if (address === undefined) return null;
  const url = URL.canParse(address) ? new URL(address) : null;
  const expected = "--store expects postgres://USER@HOST:PORT/DATABASE";
  if (url === null || !["postgres:", "postgresql:"].includes(url.protocol))
    throw new CliError(EXIT.badUsage, `${expected}, and something else was given`);
  if (url.pathname.length < 2) throw new CliError(EXIT.badUsage, `${expected}; the database is missing`);
  if (url.password !== "" || url.searchParams.has("password")) {
    const advice = `leave it out and put it into the variable ${PASSWORD_VARIABLE}`;
    throw new CliError(EXIT.badUsage, `--store holds a password, which every list of processes shows; ${advice}`);
  }
  const password = env[PASSWORD_VARIABLE];
  return { url: address, password: password === "" ? undefined : password };
}
