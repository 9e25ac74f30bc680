import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

/** Where the JSON Schemas lie that other programs read. */
export const SCHEMA_FOLDER = fileURLToPath(new URL("../schema/", import.meta.url));

/** Expects a file under `schema/` to be what the code says; with UPDATE_SCHEMA=1 it is written first. */
export function expectCheckedIn(name: string, schema: unknown): void {
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  if (process.env["UPDATE_SCHEMA"] === "1") {
    mkdirSync(SCHEMA_FOLDER, { recursive: true });
    writeFileSync(SCHEMA_FOLDER + name, text);
  }
  expect(readFileSync(SCHEMA_FOLDER + name, "utf8")).toBe(text);
}
