// Makes `npm run demo` and `npm test` work on a fresh clone: installs when node_modules does not match the lockfile,
// builds when asked. Plain JavaScript on purpose: it runs before anything is installed. Talks on stderr only.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `sluice needs Node.js 20.19 or newer, found ${process.versions.node}. Install a newer Node.js and try again.`,
  );
  process.exit(1);
}

/** npm records what it installed in node_modules/.package-lock.json; equal package entries mean nothing to do. */
function isInstalled() {
  const installedPath = `${root}node_modules/.package-lock.json`;
  if (!existsSync(installedPath)) return false;
  const wanted = JSON.parse(readFileSync(`${root}package-lock.json`, "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedPath, "utf8")).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "" || entry.optional || entry.devOptional || entry.peer) return true;
    return installed[path]?.version === entry.version;
  });
}

function run(title, command, args) {
  console.error(`sluice: ${title}`);
  const done = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (done.status !== 0) {
    console.error(`sluice: "${command} ${args.join(" ")}" failed (exit ${done.status}); its output is above.`);
    process.exit(1);
  }
}

if (!isInstalled())
  run("installing dependencies (npm ci)", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
if (process.argv.includes("--build")) run("building", process.execPath, [`${root}tools/build.mjs`]);
