import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tokenFile } from "../../metrics/token.ts";
import { resolveSecret } from "./resolve.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-secret-"));
  await writeFile(join(folder, "empty"), "");
  await writeFile(join(folder, "blank"), " \n\n");
});
afterAll(() => rm(folder, { recursive: true }));

describe("a credential that is empty is refused with its place and advice", () => {
  it.each(["empty", "blank"])("a secret's file: %s", async (name) => {
    const file = join(folder, name);
    await expect(resolveSecret({ file }, "access.bearer", {})).rejects.toThrow(
      `access.bearer (${file}) is empty; expected one line of text; fill it in`,
    );
  });

  it("a variable", async () => {
    await expect(resolveSecret({ text: "${KEY}" }, "access.bearer", { KEY: "" })).rejects.toThrow(
      "access.bearer (KEY) is empty; expected one line of text; fill it in",
    );
  });

  it.each(["empty", "blank"])("a metric source's token file: %s", async (name) => {
    const file = join(folder, name);
    await expect(tokenFile(file)()).rejects.toThrow(`the token file ${file} is empty; expected one token; fill it in`);
  });
});
