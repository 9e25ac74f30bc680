import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { statesPage } from "./states-page.ts";

const PAGE = fileURLToPath(new URL("../../docs/handbook/controller/states-and-commands.md", import.meta.url));

it("docs/handbook/controller/states-and-commands.md is what the table says; UPDATE_DOCS=1 writes it", () => {
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(PAGE, statesPage());
  expect(readFileSync(PAGE, "utf8")).toBe(statesPage());
});
