import type { RoutingDocument } from "../core/routing/document.ts";
import { isPublicKey, kidOf, signedTextOf, type Succession, successionText } from "../core/routing/signature.ts";
import { isSignedBy } from "./ed25519.ts";

/** Which keys a data plane believes, as it is told and as it keeps it. */
export interface KnownKeys {
  /** Public keys of its controller. */
  readonly trusted: readonly string[];
  /** Keys that handed over to another one: nothing that they sign counts any more. */
  readonly retired: readonly string[];
}

export const NO_KEYS: KnownKeys = { trusted: [], retired: [] };

/** What the signature of a document is worth. `message` says why it is worth nothing, and what to do. */
export type Seal =
  | { readonly kind: "signed" }
  | { readonly kind: "unsigned" | "unknown" | "retired" | "broken"; readonly message: string };

/** Retired keys that are remembered; one beyond them is as good as unknown, and refused all the same. */
const RETIRED_MAX = 64;
const SIGNED: Seal = { kind: "signed" };
const HAND_OVER =
  "hand over the controller's key (sluice key show) with --controller-key, or accept unsigned documents on purpose";

/**
 * The public keys a data plane believes. A key that it believes may hand over to the next one inside a document; the
 * key before is then retired here, at the moment the first document of the new one is believed.
 */
export class KeyRing {
  /** A person's word that signatures are not looked at. */
  readonly acceptsUnsigned: boolean;
  readonly #onFollow: ((known: KnownKeys) => void) | undefined;
  /** By name. */
  #trusted: ReadonlyMap<string, string> = new Map();
  #retired: ReadonlyMap<string, string> = new Map();

  /**
   * @param known "unsigned" to look at no signature at all
   * @param onFollow called when a key has handed over to another one, with what is known from now on
   * @throws TypeError that names what is no public key
   */
  constructor(known: KnownKeys | "unsigned", onFollow?: (known: KnownKeys) => void) {
    this.acceptsUnsigned = known === "unsigned";
    this.#onFollow = onFollow;
    if (known !== "unsigned") this.replace(known);
  }

  /** Believes these keys and no other ones from now on. */
  replace({ trusted, retired }: KnownKeys): void {
    this.#trusted = byName(trusted);
    this.#retired = byName(retired);
  }

  get known(): KnownKeys {
    return { trusted: [...this.#trusted.values()], retired: [...this.#retired.values()] };
  }

  /** Looks at a document's signature. Follows its key where one that is believed has handed over to it. */
  async check(document: RoutingDocument): Promise<Seal> {
    if (this.acceptsUnsigned) return SIGNED;
    const { kid = null, signature = null, succession = [] } = document;
    if (kid === null || signature === null) return { kind: "unsigned", message: `it is not signed; ${HAND_OVER}` };
    const text = signedTextOf(document);
    const trusted = this.#trusted.get(kid);
    if (trusted !== undefined) return (await isSignedBy(trusted, text, signature)) ? SIGNED : broken(kid);
    if (this.#retired.has(kid)) {
      const advice = "if its controller was restored on purpose, hand over its key again";
      return { kind: "retired", message: `its key ${kid} has handed over to another one; ${advice}` };
    }
    const path = await this.#pathTo(kid, succession);
    if (path.length === 0) return { kind: "unknown", message: `its key ${kid} is not known here; ${HAND_OVER}` };
    const { key } = path[path.length - 1] as Succession;
    if (!(await isSignedBy(key, text, signature))) return broken(kid);
    this.#follow(key, path);
    return SIGNED;
  }

  /** Whether a text was signed with the key of that name, which is believed. */
  async isSigned(kid: unknown, text: string, signature: unknown): Promise<boolean> {
    const key = typeof kid === "string" ? this.#trusted.get(kid) : undefined;
    return key !== undefined && typeof signature === "string" && isSignedBy(key, text, signature);
  }

  /** The changes of keys from one that is believed to the one of that name; none when there is no such way. */
  async #pathTo(kid: string, succession: readonly Succession[]): Promise<readonly Succession[]> {
    let path: readonly Succession[] = [];
    for (const link of succession) {
      const before = path[path.length - 1]?.key;
      const isNext = before === undefined ? this.#trusted.has(kidOf(link.by)) : link.by === before;
      if (!isNext) continue;
      if (!(await isSignedBy(link.by, successionText(link), link.signature))) return [];
      path = [...path, link];
      if (kidOf(link.key) === kid) return path;
    }
    return [];
  }

  #follow(key: string, path: readonly Succession[]): void {
    const { trusted, retired } = this.known;
    const gone = path.map(({ by }) => by);
    const others = trusted.filter((one) => !gone.includes(one));
    this.replace({ trusted: [key, ...others], retired: [...retired, ...gone].slice(-RETIRED_MAX) });
    this.#onFollow?.(this.known);
  }
}

function broken(kid: string): Seal {
  const found = `its signature is not by key ${kid} over this text`;
  return { kind: "broken", message: `${found}; somebody changed it on its way, or speaks for the controller` };
}

function byName(keys: readonly string[]): ReadonlyMap<string, string> {
  const wrong = keys.find((key) => !isPublicKey(key));
  if (wrong !== undefined) {
    throw new TypeError(
      `"${wrong.slice(0, 100)}" is no public key, expected ed25519: and 64 hexadecimal digits, as \`sluice key show\` prints it`,
    );
  }
  return new Map(keys.map((key) => [kidOf(key), key]));
}
