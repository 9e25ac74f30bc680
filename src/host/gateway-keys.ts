import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isPublicKey, kidOf } from "../core/routing/signature.ts";
import { KeyRing, type KnownKeys } from "../plane/key-ring.ts";
import { KNOWN_KEYS_FILE, parseKnownKeys, readKnownKeys, writeKnownKeys } from "./known-keys.ts";

/** What a person said about keys when a gateway was started. */
export interface KeyChoice {
  /** Keys, or files that hold them; none for those of the data directory. */
  readonly named: readonly string[];
  readonly acceptsUnsigned: boolean;
}

export interface GatewayKeys {
  readonly ring: KeyRing;
  /** Reads the directory's keys again. True when they have changed: what was refused may be looked at again. */
  refresh(): Promise<boolean>;
}

/**
 * The keys of a gateway: those named at its start, else those of its data directory, which its controller writes where
 * it owns the same one. A key that has handed over here does not count again because a start still names it.
 * @throws InputError when something else than keys was named, or lies in the directory
 */
export async function openGatewayKeys(
  { named, acceptsUnsigned }: KeyChoice,
  dataDir: string,
  log: (line: string) => void,
): Promise<GatewayKeys> {
  if (acceptsUnsigned) {
    const risk = "whoever gets between it and its controller can send its users anywhere";
    log(`WARNING: this gateway accepts unsigned routing documents (--accept-unsigned): ${risk}`);
    return { ring: new KeyRing("unsigned"), refresh: () => Promise.resolve(false) };
  }
  const path = join(dataDir, KNOWN_KEYS_FILE);
  const own = await readKnownKeys(dataDir);
  const told = (await Promise.all(named.map(namedKeys))).flat();
  const gone = told.filter((key) => own.retired.includes(key));
  for (const key of gone) log(`key ${kidOf(key)} of --controller-key has handed over to another one, says ${path}`);
  const trusted = told.length === 0 || gone.length > 0 ? [...own.trusted, ...told] : told;
  const ring = new KeyRing({ trusted: unretired(trusted, own), retired: own.retired }, (known) => {
    log(`the controller signs with key ${kidOf(known.trusted[0] ?? "")} from now on, as the key before it has said`);
    void writeKnownKeys(dataDir, known).catch((error: unknown) => log(`${path} not written: ${String(error)}`));
  });
  let seen = await readFile(path, "utf8").catch(() => null);
  return {
    ring,
    async refresh() {
      const text = named.length > 0 ? null : await readFile(path, "utf8").catch(() => null);
      if (text === null || text === seen) return false;
      seen = text;
      try {
        ring.replace(parseKnownKeys(text, path));
        return true;
      } catch (error) {
        log(`keys stay as they are: ${(error as Error).message}`);
        return false;
      }
    },
  };
}

const unretired = (keys: readonly string[], { retired }: KnownKeys) => keys.filter((key) => !retired.includes(key));

async function namedKeys(value: string): Promise<readonly string[]> {
  if (isPublicKey(value)) return [value];
  const text = await readFile(value, "utf8").catch(() => value); // No such file: then it was meant as a key.
  return parseKnownKeys(text, `--controller-key ${value}`).trusted;
}
