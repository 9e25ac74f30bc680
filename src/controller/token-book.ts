import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Scope } from "../contract/scope.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControllerStore, StoredToken } from "../ports/controller-store.ts";

/** Whose request it is: what the token allows, and the name that goes into journals. */
export interface Bearer {
  readonly scope: Scope;
  /** Null for the data directory's own tokens: the person then names himself. */
  readonly name: string | null;
  /** sha256 of the secret, in hex: what answers to this bearer are proven with. */
  readonly hash: string;
}

const hashOf = (secret: string) => bytesToHex(sha256(utf8ToBytes(secret)));

/**
 * The tokens that this controller believes. Only hashes are kept: who reads the database can use none of them. Secrets
 * have 256 bits, so a plain hash is enough and comparing hashes tells nothing about a secret.
 */
export class TokenBook {
  readonly #store: ControllerStore;
  readonly #clock: Clock;
  readonly #byHash = new Map<string, StoredToken>();
  readonly #own: ReadonlyMap<string, Scope>;

  private constructor(store: ControllerStore, clock: Clock, own: ReadonlyMap<string, Scope>) {
    this.#store = store;
    this.#clock = clock;
    this.#own = own;
  }

  /** @param own secrets of the data directory's token files and what each allows */
  static async open(
    store: ControllerStore,
    clock: Clock,
    own: readonly (readonly [secret: string, scope: Scope])[],
  ): Promise<TokenBook> {
    const book = new TokenBook(store, clock, new Map(own.map(([secret, scope]) => [hashOf(secret), scope])));
    for (const token of await store.tokens()) book.#byHash.set(token.hash, token);
    return book;
  }

  /** Who sends an `Authorization` header; null when it names no token, an unknown, an expired or a revoked one. */
  bearerOf(authorization: string): Bearer | null {
    const secret = /^Bearer ([\w-]{43})$/.exec(authorization)?.[1];
    if (secret === undefined) return null;
    const hash = hashOf(secret);
    const own = this.#own.get(hash);
    if (own !== undefined) return { scope: own, name: null, hash };
    const token = this.#byHash.get(hash);
    if (token === undefined || token.revokedAt !== null) return null;
    if (token.expiresAt !== null && token.expiresAt <= this.#clock.wallMs()) return null;
    return { scope: token.scope, name: token.name, hash };
  }

  list(): readonly StoredToken[] {
    return [...this.#byHash.values()];
  }

  /** Believes a new secret. False when its name is taken by a token that still counts. */
  async add(secret: string, token: Omit<StoredToken, "hash" | "createdAt" | "revokedAt">): Promise<boolean> {
    const taken = this.list().find(({ name, revokedAt }) => name === token.name && revokedAt === null);
    if (taken !== undefined) return false;
    const stored = { ...token, hash: hashOf(secret), createdAt: this.#clock.wallMs(), revokedAt: null };
    await this.#put(stored);
    return true;
  }

  /** Ends a token by its name; null when there is none of that name, the token as it is otherwise. */
  async revoke(name: string): Promise<StoredToken | null> {
    const token = this.list().findLast((one) => one.name === name);
    if (token === undefined || token.revokedAt !== null) return token ?? null;
    const revoked = { ...token, revokedAt: this.#clock.wallMs() };
    await this.#put(revoked);
    return revoked;
  }

  async #put(token: StoredToken): Promise<void> {
    await this.#store.commit({ token });
    this.#byHash.set(token.hash, token);
  }
}
