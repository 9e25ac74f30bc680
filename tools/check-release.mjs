// Refuses a release whose tag, version and changelog do not agree: node tools/check-release.mjs v1.2.3
import { readFileSync } from "node:fs";

const root = new URL("..", import.meta.url);
const { name, version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const changelog = readFileSync(new URL("CHANGELOG.md", root), "utf8");
const tag = process.argv[2] ?? "";

const faults = [
  tag === `v${version}`
    ? null
    : `the tag is "${tag}", package.json says ${version}: tag v${version}, or change the version`,
  changelog.includes(`\n## ${version}\n`) ? null : `CHANGELOG.md has no "## ${version}": rename "## Unreleased"`,
].filter((fault) => fault !== null);

for (const fault of faults) console.error(`${name}: ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);
