import { createReadStream } from "node:fs";
import { open, rename } from "node:fs/promises";
import { Readable } from "node:stream";
import { admitText } from "../core/routing/admit.ts";
import type { KeyRing } from "../plane/key-ring.ts";
import { readText } from "../ports/bounded-body.ts";
import { DOCUMENT_LIMITS, isNewer, type RoutingDocument } from "../core/routing/document.ts";

/** Whatever is at the path: what is cut off is no document, and a start waits for no pipe. */
const LIMITS = { bytesMax: DOCUMENT_LIMITS.bytes, until: null };

/**
 * Keeps the last good document on disk (I21). Writes are whole or not at all: a new file is written, synced and renamed
 * over the old one; while one is being written only the newest waiting document is kept.
 */
export class StateFile {
  readonly #path: string;
  readonly #log: (line: string) => void;
  #next: RoutingDocument | null = null;
  #writing: Promise<void> | null = null;

  constructor(path: string, log: (line: string) => void) {
    this.#path = path;
    this.#log = log;
  }

  /**
   * The document of the file when it is valid, of this service and newer than `given`; else `given`. This gateway has
   * adopted it before, so it serves on by it also where nobody would be believed with it any more: from before there
   * were signatures, or by a key that was replaced while the gateway was down. Only one that was damaged is not used.
   */
  async newest(given: RoutingDocument, keys: KeyRing): Promise<RoutingDocument> {
    let text: string;
    const file = createReadStream(this.#path);
    try {
      ({ text } = await readText(Readable.toWeb(file) as ReadableStream<Uint8Array>, LIMITS));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#log(`state file not read: ${String(error)}`);
      return given;
    } finally {
      file.destroy();
    }
    const admission = admitText(text, null);
    if (admission.kind !== "adopt" || admission.document.service !== given.service) {
      this.#log(`state file ${this.#path} holds no document of service ${given.service}; it is not used`);
      return given;
    }
    const seal = await keys.check(admission.document);
    if (seal.kind === "broken") {
      this.#log(`state file ${this.#path} is not used: ${seal.message}`);
      return given;
    }
    if (!isNewer(admission.document, given)) return given;
    const number = `${admission.document.epoch}.${admission.document.seq}`;
    if (seal.kind !== "signed")
      this.#log(`serving on by the document that was kept, ${number}, although ${seal.message}`);
    return admission.document;
  }

  /** Writes the document soon. A disk that fails is logged and leaves traffic alone. */
  save(document: RoutingDocument): void {
    this.#next = document;
    this.#writing ??= this.#write();
  }

  /** Resolves when everything saved so far is on disk. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#next !== null) {
      const document = this.#next;
      this.#next = null;
      try {
        const file = await open(`${this.#path}.next`, "w", 0o600);
        try {
          await file.writeFile(JSON.stringify(document));
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(`${this.#path}.next`, this.#path);
      } catch (error) {
        this.#log(`state file not written: ${String(error)}`);
      }
    }
    this.#writing = null;
  }
}
