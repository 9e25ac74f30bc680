import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder and those above it, for the owner alone. `mkdir` of Node.js with `recursive` never ends, and takes all
 * memory, where a file system says ENOENT for a folder it will not make, as /proc does.
 * @throws the system's error of the folder that could not be made
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let folder = resolve(path); !(await isFolder(folder)); folder = dirname(folder)) missing.push(folder);
  for (const folder of missing.reverse()) {
    await mkdir(folder, { mode: 0o700 }).catch(async (error: unknown) => {
      if (!(await isFolder(folder))) throw error; // Somebody else was faster.
    });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}
