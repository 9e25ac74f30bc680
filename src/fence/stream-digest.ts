import { hexOf, sha256Hex } from "./digest.ts";

const BLOCK_BYTES = 65_536;

/**
 * Digest of a stream without keeping it: SHA-256 over the concatenated SHA-256 digests of its 64 KiB blocks (the last
 * may be shorter). Two levels, because web standards offer no running SHA-256. It does not depend on how the stream was
 * cut into chunks.
 */
export class StreamDigest {
  #block = new Uint8Array(BLOCK_BYTES);
  #filled = 0;
  readonly #digests: string[] = [];
  bytes = 0;

  async add(chunk: Uint8Array): Promise<void> {
    this.bytes += chunk.length;
    for (let from = 0; from < chunk.length; ) {
      const take = Math.min(BLOCK_BYTES - this.#filled, chunk.length - from);
      this.#block.set(chunk.subarray(from, from + take), this.#filled);
      this.#filled += take;
      from += take;
      if (this.#filled === BLOCK_BYTES) await this.#close();
    }
  }

  async #close(): Promise<void> {
    const digest = await crypto.subtle.digest("SHA-256", this.#block.subarray(0, this.#filled));
    this.#digests.push(hexOf(new Uint8Array(digest)));
    this.#filled = 0;
  }

  /** `sha256-64k:` and the digest. Call once, at the end. */
  async finish(): Promise<string> {
    if (this.#filled > 0 || this.#digests.length === 0) await this.#close();
    const joined = Uint8Array.from(this.#digests.join("").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    return `sha256-64k:${await sha256Hex(joined)}`;
  }
}
