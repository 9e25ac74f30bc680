import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const folder = fileURLToPath(new URL("workerd/", import.meta.url));
const isInstalled = existsSync(`${folder}node_modules/miniflare`);

if (!isInstalled) {
  const install = "npm ci --prefix test/runtime/workerd --ignore-scripts";
  if (process.env["CI"] !== undefined) throw new Error(`workerd is not installed: run ${install}`);
  console.warn(`skipped: Durable Objects in workerd; to run them: ${install}`);
}

describe.runIf(isInstalled)("Durable Objects in workerd", () => {
  it("pass the fence's suite and lose and double nothing in 2 000 deliveries with crashes (I6, I7)", async () => {
    const child = spawn(process.execPath, [`${folder}run.mjs`], { stdio: ["ignore", "pipe", "pipe"] });
    let heard = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (heard += String(chunk)));
    const [code] = await once(child, "close");
    expect([code, heard.split("\n").filter((line) => line.startsWith("failed"))]).toEqual([0, []]);
    expect(heard).toMatch(/workerd: \d{2} cases passed, 2000 deliveries, 0 duplicates, 0 lost/);
  }, 120_000);
});
