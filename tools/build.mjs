// Builds dist/ from src/. Skips when every source is older than the last build, so that `npm run demo` starts at once.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = join(root, "dist", ".built");
// Beside the sources too, for tests that run them: a database without it costs eight seconds of a processor.
const template = join(root, "src", "drivers", "store", "pglite", "template.tar.gz");
const shipped = join(root, "dist", "drivers", "store", "pglite", "template.tar.gz");
const templateInputs = ["src/drivers/store/sql/migrations.ts", "package-lock.json"];

function newestMs(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

const inputs = ["src", "tsconfig.base.json", "tsconfig.build.json", "package-lock.json", "tools/build.mjs"];
const newestInputMs = Math.max(...inputs.map((name) => newestMs(join(root, name))));
const isNewer = (path, inputMs) => existsSync(path) && statSync(path).mtimeMs > inputMs;
const templateInputMs = Math.max(...templateInputs.map((name) => newestMs(join(root, name))));
if (isNewer(stamp, newestInputMs) && isNewer(template, templateInputMs) && existsSync(shipped)) process.exit(0);

const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const done = spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: ["ignore", 2, 2] });
if (done.status !== 0) process.exit(done.status ?? 1);
mkdirSync(join(root, "dist"), { recursive: true });
if (!isNewer(template, templateInputMs)) await makeTemplate();
copyWhole(template, shipped);
writeFileSync(stamp, "");

// An empty, migrated database: unpacking it is several times faster than making one, at every first start.
async function makeTemplate() {
  const { PGlite } = await import("@electric-sql/pglite");
  const { migrate } = await import(pathToFileURL(join(root, "dist", "drivers", "store", "sql", "migrate.js")).href);
  const database = await PGlite.create();
  await migrate(database);
  const dump = await database.dumpDataDir("gzip");
  await database.close();
  const draft = `${template}.${process.pid}`;
  writeFileSync(draft, new Uint8Array(await dump.arrayBuffer()));
  renameSync(draft, template);
}

// Two builds at once leave one whole file.
function copyWhole(from, to) {
  const draft = `${to}.${process.pid}`;
  copyFileSync(from, draft);
  renameSync(draft, to);
}
