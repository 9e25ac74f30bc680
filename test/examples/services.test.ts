import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { inTurn } from "../in-turn.ts";

const folder = fileURLToPath(new URL("../../examples/services/", import.meta.url));
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

describe("examples/services", () => {
  it("has nine services", () => {
    expect(names).toHaveLength(9);
  });

  it.each(inTurn(names, 2))(
    "%s is released from init to promoted, and its secret appears nowhere",
    async (name) => {
      const child = spawn(process.execPath, [`${folder}run.mjs`, name], { stdio: ["ignore", "ignore", "pipe"] });
      let heard = "";
      child.stderr.on("data", (chunk) => (heard += String(chunk)));
      const [code] = await once(child, "close");
      expect([code, heard]).toEqual([0, expect.stringContaining(`✔ ${name}: promoted`)]);
    },
    240_000,
  );
});
