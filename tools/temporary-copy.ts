import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT } from "./source-files.ts";

/** Some files of the repository in a folder of their own, in which a recipe can be followed. */
export class TemporaryCopy {
  readonly #folder: string;

  /** @param names files and folders, from the root of the repository */
  constructor(names: readonly string[]) {
    this.#folder = mkdtempSync(join(tmpdir(), "sluice-recipe-"));
    for (const name of names) {
      mkdirSync(dirname(join(this.#folder, name)), { recursive: true });
      cpSync(join(ROOT, name), join(this.#folder, name), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(this.#folder, "node_modules"));
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.#folder, path)), { recursive: true });
    writeFileSync(join(this.#folder, path), text);
  }

  /** Changes a file. @throws Error when the text to replace does not stand in it exactly once */
  edit(path: string, ...changes: readonly (readonly [find: string, replace: string])[]): void {
    let text = readFileSync(join(this.#folder, path), "utf8");
    for (const [find, replace] of changes) {
      const times = text.split(find).length - 1;
      if (times !== 1) throw new Error(`${path} has ${times} times, expected once: ${find}`);
      text = text.replace(find, () => replace);
    }
    this.write(path, text);
  }

  /** @param command a path from the folder, or an absolute one */
  run(command: string, args: readonly string[]): { readonly status: number | null; readonly said: string } {
    const done = spawnSync(command, args, { cwd: this.#folder, encoding: "utf8", timeout: 120_000 });
    return { status: done.status, said: `${done.stdout}${done.stderr}` };
  }

  /** A program of the packages. */
  runPackage(name: string, args: readonly string[]): ReturnType<TemporaryCopy["run"]> {
    return this.run(join("node_modules", ".bin", name), args);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The numbered lines under a heading of ARCHITECTURE.md, with the heading. */
export function recipeOf(heading: string): string {
  const text = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8");
  const start = text.indexOf(`## ${heading}\n`);
  return text.slice(start, text.indexOf("\n## ", start));
}
