import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { documentSchemas } from "./json-schema.ts";

const folder = fileURLToPath(new URL("../../schema/", import.meta.url));

describe("schema/", () => {
  it.each(Object.entries(documentSchemas()))("%s is what the code says (UPDATE_SCHEMA=1 writes it)", (name, schema) => {
    const text = `${JSON.stringify(schema, null, 2)}\n`;
    if (process.env["UPDATE_SCHEMA"] === "1") {
      mkdirSync(folder, { recursive: true });
      writeFileSync(folder + name, text);
    }
    expect(readFileSync(folder + name, "utf8")).toBe(text);
  });

  it("refuses unknown keys and asks for the required ones", () => {
    const schema = JSON.stringify(documentSchemas()["rollout.schema.json"]);
    expect(schema).toContain('"additionalProperties":false');
    expect(schema).toContain('"required":["service","stable","candidate","route","gates"]');
  });
});
