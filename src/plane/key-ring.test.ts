import { beforeAll, describe, expect, it } from "vitest";
import { aSigner, type TestSigner } from "../../test/a-signer.ts";
import { aDocument } from "../../test/documents.ts";
import { sealed } from "../controller/sealed-document.ts";
import { admitText } from "../core/routing/admit.ts";
import { NO_TERMS, type RoutingDocument } from "../core/routing/document.ts";
import { contentOf, kidOf, signedTextOf } from "../core/routing/signature.ts";
import { bp } from "../core/unit.ts";
import { digestOf } from "./digest.ts";
import { KeyRing, NO_KEYS } from "./key-ring.ts";

const said = (over: Partial<RoutingDocument> = {}): RoutingDocument =>
  aDocument({ ...NO_TERMS, version: 2, store: "store-1", ...over });

let signer: TestSigner;
let ring: KeyRing;
beforeAll(async () => {
  signer = await aSigner();
  ring = new KeyRing({ trusted: [signer.current.publicKey], retired: [] });
});

const kindOf = async (one: RoutingDocument, keys = ring) => (await keys.check(one)).kind;

/** Every document that differs from one in one place: a member gone, another value, a member more. */
function mutants(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) {
    const inside = value.flatMap((one, at) => mutants(one).map((other) => value.with(at, other)));
    return [...inside, [...value, "more"], value.slice(1)].filter(
      (other) => JSON.stringify(other) !== JSON.stringify(value),
    );
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    const inside = entries.flatMap(([key, one]) => mutants(one).map((other) => ({ ...value, [key]: other })));
    const without = entries.map(([key]) => Object.fromEntries(entries.filter(([other]) => other !== key)));
    return [...inside, ...without, { ...value, more: 1 }];
  }
  if (typeof value === "number") return [value + 1, value - 1, String(value), null];
  if (typeof value === "string")
    return [`${value}x`, value.slice(1), value.toUpperCase(), null].filter((one) => one !== value);
  return [1, "text", {}, []];
}

describe("the signature of a document", () => {
  it("is believed where its key is, and by nobody who knows another key or none", async () => {
    const document = await sealed(said(), signer);
    const other = await aSigner();
    expect(await kindOf(document)).toBe("signed");
    expect(await kindOf(document, new KeyRing({ trusted: [other.current.publicKey], retired: [] }))).toBe("unknown");
    expect(await kindOf(document, new KeyRing(NO_KEYS))).toBe("unknown");
    expect(await kindOf(said())).toBe("unsigned");
    expect(await kindOf(said(), new KeyRing("unsigned"))).toBe("signed");
  });

  it("under the name of a key that is believed, by another key, is refused with what it means", async () => {
    const other = await aSigner();
    const forged = { ...said(), kid: kidOf(signer.current.publicKey) };
    const signature = await other.current.sign(signedTextOf(forged));
    const seal = await ring.check({ ...forged, signature });
    expect(seal).toEqual({ kind: "broken", message: expect.stringMatching(/somebody changed it on its way/) });
  });

  it("is worth nothing once anything in the document has changed: every member of it, gone, other or more", async () => {
    const candidate = {
      ...said().arms.stable,
      cachePrefix: "v2:",
      serves: { schemaRev: { min: "sc-1", max: "sc-2" }, indexHash: ["a"], modelTag: null },
    };
    const arms = { ...said().arms, candidate };
    const document = await sealed(
      said({ arms, lease: { ms: 15_000 }, allow: ["ann"], closed: [], override: "r/1" }),
      signer,
    );
    const all = mutants(document);
    let admitted = 0;
    for (const one of all) {
      const admission = admitText(JSON.stringify(one), null);
      if (admission.kind !== "adopt") continue;
      admitted++;
      expect(await kindOf(admission.document), JSON.stringify(one)).not.toBe("signed");
    }
    expect(admitted).toBeGreaterThan(40);
    expect(await kindOf(document)).toBe("signed");
  });

  it("says nothing about what a document says: number, digest and content stay when another key signs it", async () => {
    const [one, other] = [await sealed(said(), signer), await sealed(said(), await aSigner())];
    expect(one.kid).not.toBe(other.kid);
    expect([digestOf(one), contentOf(one)]).toEqual([digestOf(other), contentOf(other)]);
    expect(admitText(JSON.stringify(other), one).kind).toBe("adopt");
    expect(admitText(JSON.stringify(one), one).kind).toBe("keep");
    expect(admitText(JSON.stringify({ ...other, candidateBp: bp(9) }), one).kind).toBe("refuse");
  });
});

describe("a change of keys", () => {
  it("is followed from any key before, over several changes, and the keys before are then refused", async () => {
    const own = await aSigner();
    const first = own.current.publicKey;
    const old = await sealed(said(), own);
    const heard: unknown[] = [];
    const known = new KeyRing({ trusted: [first], retired: [] }, (keys) => heard.push(keys));
    await own.rotate();
    const second = own.current.publicKey;
    await own.rotate();
    const third = own.current.publicKey;
    expect(await kindOf(await sealed(said(), own), known)).toBe("signed");
    expect(heard).toEqual([{ trusted: [third], retired: [first, second] }]);
    expect(await known.check(old)).toEqual({ kind: "retired", message: expect.stringMatching(/has handed over/) });
  });

  it("counts only from the hand of the key before: not by a stranger, not by a retired key, not with another name in it", async () => {
    const [own, stranger] = [await aSigner(), await aSigner()];
    const first = own.current.publicKey;
    const stolen = own.current;
    const to = async (by: string, signing: TestSigner["current"], next: TestSigner): Promise<RoutingDocument> => {
      const link = await next.linkFrom(by, signing);
      return sealed(said(), { ...next, current: { ...next.current, succession: [link] } });
    };
    const known = new KeyRing({ trusted: [first], retired: [] });
    expect(await kindOf(await to(first, stranger.current, stranger), known)).toBe("unknown");
    await own.rotate();
    expect(await kindOf(await sealed(said(), own), known)).toBe("signed");
    expect(await kindOf(await to(first, stolen, stranger), known)).toBe("unknown");
    expect(known.known.trusted).toEqual([own.current.publicKey]);
  });

  it("leaves other keys alone that a person named beside it, and refuses what is no key", async () => {
    const [own, beside] = [await aSigner(), await aSigner()];
    const known = new KeyRing({ trusted: [own.current.publicKey, beside.current.publicKey], retired: [] });
    await own.rotate();
    await known.check(await sealed(said(), own));
    expect(await kindOf(await sealed(said(), beside), known)).toBe("signed");
    expect(() => new KeyRing({ trusted: ["ed25519:12"], retired: [] })).toThrow(/no public key.*sluice key show/);
  });
});
