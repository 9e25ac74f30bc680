import { readFile, rename, writeFile } from "node:fs/promises";
import { hexOf } from "../plane/digest.ts";
import type { Override } from "../plane/plane.ts";
import type { Random } from "../ports/random.ts";

const NAME = /^[0-9a-f]{16}$/;

/**
 * What a gateway keeps of itself over restarts: its name, so that a new start replaces the old one, and a person's
 * word.
 */
export class PlaneFile {
  readonly id: string;
  readonly override: Override | null;
  readonly #path: string | null;
  readonly #log: (line: string) => void;
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string | null, id: string, override: Override | null, log: (line: string) => void) {
    this.#path = path;
    this.id = id;
    this.override = override;
    this.#log = log;
  }

  /** Reads the file, or begins it. Without a path the name lives as long as the process. */
  static async open(path: string | null, random: Random, log: (line: string) => void): Promise<PlaneFile> {
    const found = path === null ? null : await read(path, log);
    const file = new PlaneFile(path, found?.id ?? hexOf(random.bytes(8)), found?.override ?? null, log);
    if (found === null) file.save(null);
    await file.#saving;
    return file;
  }

  /** Resolves when everything saved so far is on disk, or was told not to be. */
  settled(): Promise<void> {
    return this.#saving;
  }

  /** Writes a person's word, whole or not at all. A disk that fails is logged: the word holds until a restart. */
  save(override: Override | null): void {
    const path = this.#path;
    if (path === null) return;
    this.#saving = this.#saving.then(async () => {
      try {
        await writeFile(`${path}.next`, JSON.stringify({ id: this.id, override }), { mode: 0o600, flush: true });
        await rename(`${path}.next`, path);
      } catch (error) {
        this.#log(`${path} not written, so a restart forgets the gateway's name and override: ${String(error)}`);
      }
    });
  }
}

async function read(
  path: string,
  log: (line: string) => void,
): Promise<{ id: string; override: Override | null } | null> {
  try {
    const json = JSON.parse(await readFile(path, "utf8")) as { id?: unknown; override?: Partial<Override> | null };
    if (typeof json.id !== "string" || !NAME.test(json.id)) throw new Error("it holds no name of a gateway");
    const under = typeof json.override?.under === "string" ? json.override.under : null;
    return { id: json.id, override: json.override?.to === "stable" ? { to: "stable", under } : null };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      log(`${path} not used, a new name is made: ${String(error)}`);
    return null;
  }
}
