import { existsSync } from "node:fs";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DriverError } from "../ports/driver-error.ts";
import { TOKEN_FILES } from "./token-file.ts";

/** Where the identity of a data directory's database is kept beside it. */
const IDENTITY_FILE = "store-id";
const DATABASE = "database";

/** Files that say that a controller worked here before: whoever finds them without a database has lost one. */
async function tracesOf(dataDir: string): Promise<readonly string[]> {
  const names = await readdir(dataDir).catch(() => []);
  const certain = names.filter((name) => name === TOKEN_FILES.admin || name === IDENTITY_FILE);
  const states = names.filter((name) => /^gateway-.*\.json$/.test(name) && !name.endsWith(".plane.json"));
  const adopted = await Promise.all(states.map((name) => hasAdopted(join(dataDir, name))));
  return [...certain, ...states.filter((_, index) => adopted[index])];
}

/** True when a gateway's state file holds a document that some controller published: its own first one is epoch 0. */
async function hasAdopted(path: string): Promise<boolean> {
  const text = await readFile(path, "utf8").catch(() => "");
  const epoch = Number(/"epoch":\s*(\d+)/.exec(text)?.[1] ?? 0);
  return epoch > 0;
}

/**
 * Refuses to begin on an empty database where there was one: users may be on a candidate that nobody would know of.
 * With `isNew` what is left of the old one is moved aside.
 * @throws DriverError `rejected`: what is missing, where, how to restore it, and how to begin again
 */
export async function checkDatabase(dataDir: string, isNew: boolean): Promise<void> {
  const folder = join(dataDir, DATABASE);
  if (existsSync(join(folder, "PG_VERSION"))) return;
  const traces = await tracesOf(dataDir);
  const isThere = existsSync(folder);
  if (traces.length > 0 && !isNew) {
    const found = isThere ? `${folder} is empty or damaged` : `${folder} is missing`;
    const restore = `restore a backup with \`sluice restore\`, put the copy of ${folder} back with nothing running, or name its server with --store`;
    const again =
      "or begin again without its rollouts with --new: gateways keep what they serve until the next rollout";
    throw new DriverError(
      "rejected",
      "never",
      `${found}, although ${traces.join(", ")} lie beside it; ${restore}, ${again}`,
    );
  }
  if (isThere && isNew) await rename(folder, `${folder}.lost-${Date.now()}`);
}

/**
 * Holds the identity of an opened database against the one that was here before.
 * @param store null for one that nobody took yet
 * @param place what names the database
 * @throws DriverError `rejected` when the database is of another store, or of none where there was one
 */
export async function checkIdentity(
  dataDir: string,
  store: string | null,
  isNew: boolean,
  place: string,
): Promise<void> {
  const path = join(dataDir, IDENTITY_FILE);
  const known = await identityOf(dataDir);
  if (known === "" || known === store || isNew) return;
  const found = `${place} is of ${store === null ? "no store yet" : `store ${store}`}, and ${path} says ${known}`;
  const advice =
    store === null
      ? "bring that one here with `sluice backup` and `sluice restore`, or begin without its rollouts with --new"
      : "put the database back that belongs here, or take this one with --new";
  throw new DriverError("rejected", "never", `${found}; ${advice}`);
}

/** Identity of the store that a data directory belongs to; "" while it belongs to none. */
export async function identityOf(dataDir: string): Promise<string> {
  return (await readFile(join(dataDir, IDENTITY_FILE), "utf8").catch(() => "")).trim();
}

/** Keeps the identity of the store that a data directory belongs to. */
export async function keepIdentity(dataDir: string, store: string): Promise<void> {
  await writeFile(join(dataDir, IDENTITY_FILE), `${store}\n`, { mode: 0o600 });
}
