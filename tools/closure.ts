import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { filesUnder, ROOT } from "./source-files.ts";

/** Everything one entry pulls in when it is bundled for a web runtime. */
export interface Closure {
  /** Source files reached, from the repository root, sorted. */
  readonly modules: readonly string[];
  /** Imports that leave the sources: `node:` modules and packages, as `specifier ← importer`, sorted. */
  readonly outside: readonly string[];
  /** Size of the minified bundle, and of the same after gzip. */
  readonly bytes: number;
  readonly gzipBytes: number;
}

/** The part of the bundler we call. */
interface Bundler {
  rolldown(options: {
    input: string;
    logLevel: "silent";
    transform: { typescript: { onlyRemoveTypeImports: true } };
    plugins: readonly {
      name: string;
      resolveId(specifier: string, importer: string | undefined): { id: string; external: true } | null;
    }[];
  }): Promise<{
    generate(options: { format: "esm"; minify: true }): Promise<{
      output: readonly { type: string; code?: string; moduleIds?: readonly string[] }[];
    }>;
    readonly watchFiles: Promise<readonly string[]>;
    close(): Promise<void>;
  }>;
}

/** The bundler that vitest brings through vite: no second one to install. */
async function bundler(): Promise<Bundler> {
  const vitest = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"));
  const vite = createRequire(vitest.resolve("vite/package.json"));
  return (await import(pathToFileURL(vite.resolve("rolldown")).href)) as Bundler;
}

/**
 * Bundles an entry and follows every import, unused ones too: a module that only fails to load on the edge fails there
 * whether or not its exports survive tree shaking.
 * @param entry absolute path of a TypeScript file
 */
export async function closureOf(entry: string): Promise<Closure> {
  const outside = new Set<string>();
  const { rolldown } = await bundler();
  const build = await rolldown({
    input: entry,
    logLevel: "silent",
    transform: { typescript: { onlyRemoveTypeImports: true } }, // As tsc does with verbatimModuleSyntax.
    plugins: [
      {
        name: "record-imports",
        resolveId(specifier, importer) {
          if (importer === undefined || specifier.startsWith(".") || specifier.startsWith("/")) return null;
          outside.add(`${specifier} ← ${fromRoot(importer)}`);
          return { id: specifier, external: true };
        },
      },
    ],
  });
  try {
    const { output } = await build.generate({ format: "esm", minify: true });
    const code = output.map((chunk) => chunk.code ?? "").join("");
    return {
      modules: [...new Set(await build.watchFiles)].map(fromRoot).sort(),
      outside: [...outside].sort(),
      bytes: Buffer.byteLength(code),
      gzipBytes: gzipSync(code).length,
    };
  } finally {
    await build.close();
  }
}

/** Entries that must load on every web runtime: the public ones, and each driver that says so. */
export function webEntries(): readonly string[] {
  const published = ["core", "edge", "fence", "ports"].map((layer) => `src/${layer}/index.ts`);
  const drivers = filesUnder(["src/drivers"], ["/index.ts"]).filter(({ text }) => /runtime = "web"/.test(text));
  return [...published.filter((path) => existsSync(`${ROOT}${path}`)), ...drivers.map(({ path }) => path)];
}

function fromRoot(path: string): string {
  return relative(ROOT, path).split(sep).join("/");
}
