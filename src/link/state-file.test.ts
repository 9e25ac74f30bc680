import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aSigner } from "../../test/a-signer.ts";
import { aDocument } from "../../test/documents.ts";
import { sealed } from "../controller/sealed-document.ts";
import { NO_TERMS, type RoutingDocument } from "../core/routing/document.ts";
import { bp } from "../core/unit.ts";
import { KeyRing } from "../plane/key-ring.ts";
import { StateFile } from "./state-file.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "state-file-"));
});
afterEach(() => rm(folder, { recursive: true }));

const given = aDocument({ epoch: 0, candidateBp: bp(0) });
const before = aDocument({ ...NO_TERMS, version: 2, epoch: 7, candidateBp: bp(9_000) });

/** The share a gateway begins with when this lies in its state file, and what it said. */
async function begun(kept: RoutingDocument, keys: KeyRing) {
  const path = join(folder, "gateway.json");
  await writeFile(path, JSON.stringify(kept));
  const said: string[] = [];
  const document = await new StateFile(path, (line) => said.push(line)).newest(given, keys);
  return { epoch: document.epoch, said: said.join("\n") };
}

describe("the document a gateway kept", () => {
  it("is served on without a word when it is signed by a key that is believed", async () => {
    const signer = await aSigner();
    const keys = new KeyRing({ trusted: [signer.current.publicKey], retired: [] });
    expect(await begun(await sealed(before, signer), keys)).toEqual({ epoch: 7, said: "" });
  });

  it("is served on, and told, when nobody would be believed with it any more: this gateway had adopted it", async () => {
    const [signer, other] = [await aSigner(), await aSigner()];
    const own = signer.current.publicKey;
    const keys = new KeyRing({ trusted: [own], retired: [] });
    const { version: _, ...rest } = before;
    const first = { ...aDocument({ ...rest }), version: 1 as const };
    const { store, region, lease, override, end, kid, signature, ...unsigned } = first;
    const why = { unsigned: /serving on by the document that was kept, 7\.0, although it is not signed/ };
    expect(await begun(before, keys)).toEqual({ epoch: 7, said: expect.stringMatching(why.unsigned) });
    expect(await begun(unsigned, keys)).toEqual({ epoch: 7, said: expect.stringMatching(why.unsigned) });
    expect((await begun(await sealed(before, other), keys)).said).toMatch(/although its key [0-9a-f]{16} is not known/);
    const retired = new KeyRing({ trusted: [other.current.publicKey], retired: [own] });
    expect((await begun(await sealed(before, signer), retired)).said).toMatch(/although its key .* has handed over/);
    expect([store, region, lease, override, end, kid, signature]).toEqual(Object.values(NO_TERMS));
  });

  it("is not used when it is not what its key signed: somebody changed it", async () => {
    const signer = await aSigner();
    const keys = new KeyRing({ trusted: [signer.current.publicKey], retired: [] });
    const changed = { ...(await sealed(before, signer)), candidateBp: bp(10_000) };
    expect(await begun(changed, keys)).toEqual({ epoch: 0, said: expect.stringMatching(/is not used: its signature/) });
  });
});
