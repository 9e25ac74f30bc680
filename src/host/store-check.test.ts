import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkDatabase, checkIdentity, keepIdentity } from "./store-check.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sluice-store-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const put = (name: string, text = "x") => writeFile(join(dataDir, name), text);
const refusalOf = (isNew = false) =>
  checkDatabase(dataDir, isNew).then(
    () => null,
    (error: unknown) => String(error),
  );

/** What lies in a data directory without a database, and whether it says that there was one. */
const TRACES: readonly (readonly [name: string, text: string, isLost: boolean])[] = [
  ["token", "t", true],
  ["store-id", "s", true],
  ["gateway-desk.json", '{"version":2,"epoch":40,"seq":1}', true],
  ["gateway-desk.json", '{"version":2,"epoch":0,"seq":0}', false],
  ["gateway-desk-4000.plane.json", '{"id":"p","epoch":9}', false],
  ["lock.1", "{}", false],
  ["gateway-token", "g", false],
];

describe("a data directory without its database", () => {
  it.each(TRACES)("beside %s with %s: lost is %s", async (name, text, isLost) => {
    await put(name, text);
    const refusal = await refusalOf();
    if (!isLost) return expect(refusal).toBeNull();
    expect(refusal).toContain(join(dataDir, "database"));
    expect(refusal).toContain(name);
    expect(refusal).toMatch(/put the copy .* back.*--store.*--new/);
    expect(await refusalOf(true)).toBeNull();
  });

  it("refuses an empty and a damaged folder too, and moves it aside when told to begin again", async () => {
    await put("token");
    await mkdir(join(dataDir, "database"));
    await put("database/base");
    expect(await refusalOf()).toContain("empty or damaged");
    expect(await refusalOf(true)).toBeNull();
    const left = await readdir(dataDir);
    expect(left.some((name) => name.startsWith("database.lost-"))).toBe(true);
    expect(left).not.toContain("database");
  });

  it("begins where nothing was, and goes on where the database is", async () => {
    expect(await refusalOf()).toBeNull();
    await mkdir(join(dataDir, "database"));
    await put("database/PG_VERSION", "16");
    await put("token");
    expect(await refusalOf()).toBeNull();
  });
});

describe("the identity of a database", () => {
  it("is kept, and another one is refused until a person says so", async () => {
    const check = (store: string | null, isNew = false) => checkIdentity(dataDir, store, isNew, "the database d");
    await check("one");
    await keepIdentity(dataDir, "one");
    await check("one");
    await expect(check("two")).rejects.toThrow(/^the database d is of store two, and .* says one.*--new/);
    await expect(check(null)).rejects.toThrow(/^the database d is of no store yet, and .* says one; .*sluice restore/);
    await check(null, true);
    await check("two", true);
    await keepIdentity(dataDir, "two");
    await check("two");
  });
});
