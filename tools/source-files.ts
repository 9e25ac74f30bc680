import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

export interface SourceFile {
  /** Path from the repository root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
}

function walk(folder: string, paths: string[]): string[] {
  for (const name of readdirSync(folder)) {
    if (name === "node_modules" || name === "dist" || name.startsWith(".")) continue;
    const path = join(folder, name);
    if (statSync(path).isDirectory()) walk(path, paths);
    else paths.push(path);
  }
  return paths;
}

/** Every file under the given folders whose name ends in one of `endings`. */
export function filesUnder(folders: readonly string[], endings: readonly string[]): readonly SourceFile[] {
  return folders
    .flatMap((folder) => walk(join(ROOT, folder), []))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => {
      const text = readFileSync(path, "utf8");
      return { path: relative(ROOT, path).replaceAll("\\", "/"), text, lines: text.split("\n").length };
    });
}

/** Specifiers a TypeScript file imports or re-exports, type-only ones included. */
export function importsOf(text: string): readonly string[] {
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)|(?:^|\n)import\s+["']([^"']+)["']/g,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}
