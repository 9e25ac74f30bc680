// Bundles one bench of this folder with the product's sources and runs it: node bench/fence/run.mjs <layer|crash|peers>
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown"; // The bundler that the root's test runner brings.

const here = dirname(fileURLToPath(import.meta.url));
const name = process.argv[2] ?? "layer";
const isPackage = (id) => !id.startsWith(".") && !id.startsWith("/");
const bundle = await rolldown({ input: join(here, `${name}.ts`), platform: "node", external: isPackage });
await bundle.write({ file: join(here, "dist", `${name}.mjs`), format: "esm" });
await import(join(here, "dist", `${name}.mjs`));
