import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aDocument } from "../../test/documents.ts";
import { sealed } from "../controller/sealed-document.ts";
import { NO_TERMS } from "../core/routing/document.ts";
import { KeyRing } from "../plane/key-ring.ts";
import { readKnownKeys } from "./known-keys.ts";
import { openSigningKey } from "./signing-key.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signing-key-"));
});
afterEach(() => rm(folder, { recursive: true }));

const document = aDocument({ ...NO_TERMS, version: 2 });

describe("the key pair of a data directory", () => {
  it("is made once, readable by its owner alone, and the gateways beside it know its public half", async () => {
    const { signer, isNew } = await openSigningKey(folder);
    const again = await openSigningKey(folder);
    expect([isNew, again.isNew]).toEqual([true, false]);
    expect(again.signer.current.publicKey).toBe(signer.current.publicKey);
    for (const name of ["signing-key", "controller-key"]) {
      expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
    }
    const keys = new KeyRing(await readKnownKeys(folder));
    expect(await keys.check(await sealed(document, again.signer))).toEqual({ kind: "signed" });
    expect(await readFile(join(folder, "controller-key"), "utf8")).not.toContain("private");
  });

  it("hands over to the next one, over a restart, and says so to the gateways beside it", async () => {
    const { signer } = await openSigningKey(folder);
    const [first, far] = [signer.current.publicKey, new KeyRing(await readKnownKeys(folder))];
    await signer.rotate();
    const second = signer.current.publicKey;
    expect(await readKnownKeys(folder)).toEqual({ trusted: [second], retired: [first] });
    const restarted = (await openSigningKey(folder)).signer;
    expect(restarted.current.publicKey).toBe(second);
    expect(await far.check(await sealed(document, restarted))).toEqual({ kind: "signed" });
    expect(far.known).toEqual({ trusted: [second], retired: [first] });
  });

  it("forgets the oldest change after sixteen, so that neither file nor document grows for ever", async () => {
    const { signer } = await openSigningKey(folder);
    for (let change = 0; change < 20; change++) await signer.rotate();
    expect(signer.current.succession).toHaveLength(16);
    expect((await openSigningKey(folder)).signer.current.succession).toHaveLength(16);
  });

  it.each([
    ["an empty file", "", /signing-key is empty; expected what this controller wrote; put it back/],
    ["something else", "{}", /signing-key holds no key pair/],
    ["halves of two", null, /signing-key holds no key pair, or halves of two/],
  ])("refuses %s with path and advice, and makes no other key by itself", async (_, text, message) => {
    await openSigningKey(folder);
    const path = join(folder, "signing-key");
    const own = JSON.parse(await readFile(path, "utf8")) as { private: string };
    await rm(path);
    const { signer } = await openSigningKey(folder);
    const halves = JSON.stringify({ private: own.private, public: signer.current.publicKey, succession: [] });
    await writeFile(path, text ?? halves);
    await expect(openSigningKey(folder)).rejects.toThrow(message);
    expect(await readFile(path, "utf8")).toBe(text ?? halves);
  });
});
