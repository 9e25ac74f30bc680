// Builds dist/ from src/. Skips when every source is older than the last build, so that `npm run demo` starts at once.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = join(root, "dist", ".built");

function newestMs(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

const inputs = ["src", "tsconfig.base.json", "tsconfig.build.json", "package-lock.json", "tools/build.mjs"];
const newestInputMs = Math.max(...inputs.map((name) => newestMs(join(root, name))));
if (existsSync(stamp) && statSync(stamp).mtimeMs > newestInputMs) process.exit(0);

const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const done = spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: ["ignore", 2, 2] });
if (done.status !== 0) process.exit(done.status ?? 1);
mkdirSync(join(root, "dist"), { recursive: true });
writeFileSync(stamp, "");
