import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aDocument } from "../../../test/documents.ts";
import { bp } from "../unit.ts";
import { type Admission, admit, admitText } from "./admit.ts";
import { DOCUMENT_LIMITS, NO_TERMS, renderDocument, type RoutingDocument } from "./document.ts";

const wire = (document: unknown): unknown => JSON.parse(JSON.stringify(document));
const judge = (json: unknown, current: RoutingDocument | null = null): Admission => admit(json, current, 1_000);
const refusedAt = (json: unknown): readonly string[] => {
  const admission = judge(json);
  return admission.kind === "refuse" ? admission.problems.map(({ path }) => path) : [admission.kind];
};
const target = (over: object = {}) => ({ ...aDocument().arms.stable, ...over });

describe("admit", () => {
  it.each(["Host", "x-exp", "X_Exp", "x-forwarded-for", "connection", "x-schema-rev", "content-length"])(
    "refuses %s as the name of a unit: a data plane keeps it for itself, so every user would stay on stable",
    (header) => {
      const identity = { trustedHeaders: [header], stickyBy: [header] };
      expect(refusedAt(wire(aDocument({ identity })))).toEqual(["identity.stickyBy[0]"]);
    },
  );

  it("adopts a valid document as it is", () => {
    expect(judge(wire(aDocument()))).toEqual({ kind: "adopt", document: aDocument() });
    const single = aDocument({ arms: { stable: target(), candidate: null }, candidateBp: bp(0), rolloutId: null });
    expect(judge(wire(single))).toEqual({ kind: "adopt", document: single });
  });

  it("takes a document of version 2 for the one of version 1 it was rendered from, and for no other", () => {
    const second = aDocument({ ...NO_TERMS, version: 2, store: "store-1", lease: { ms: 15_000 } });
    const first = renderDocument(second, 1);
    expect(first).toEqual(aDocument());
    expect(judge(wire(first))).toEqual({ kind: "adopt", document: first });
    expect(judge(wire(second), first)).toEqual({ kind: "adopt", document: second });
    expect(judge(wire({ ...second, candidateBp: bp(1) }), first).kind).toBe("refuse");
    expect(judge(wire(first), second).kind).toBe("refuse");
  });

  it("I8: keeps the document in force when an older one or the same one arrives", () => {
    const current = aDocument({ epoch: 3, seq: 2 });
    for (const [epoch, seq] of [
      [3, 1],
      [2, 9],
      [3, 2],
    ] as const) {
      expect(judge(wire(aDocument({ epoch, seq })), current).kind).toBe("keep");
    }
    for (const [epoch, seq] of [
      [3, 3],
      [4, 0],
    ] as const) {
      expect(judge(wire(aDocument({ epoch, seq })), current).kind).toBe("adopt");
    }
  });

  it("compares content and not the order of keys", () => {
    const reordered = Object.fromEntries(Object.entries(aDocument()).reverse());
    expect(judge(wire(reordered), aDocument()).kind).toBe("keep");
  });

  it("S13, I21: refuses the same epoch and seq with other content", () => {
    expect(judge(wire(aDocument({ candidateBp: bp(2_000) })), aDocument()).kind).toBe("refuse");
  });

  it("refuses the document of another service", () => {
    expect(judge(wire(aDocument({ service: "billing", epoch: 9 })), aDocument()).kind).toBe("refuse");
  });

  it("S13: refuses a document over 262 144 bytes before it looks inside", () => {
    expect(admit(wire(aDocument()), null, DOCUMENT_LIMITS.bytes).kind).toBe("adopt");
    const admission = admit(null, null, DOCUMENT_LIMITS.bytes + 1);
    expect(admission).toMatchObject({
      kind: "refuse",
      problems: [{ message: expect.stringContaining("262145 bytes") }],
    });
  });

  it("S13: refuses what is no object, missing keys, unknown keys and __proto__", () => {
    for (const json of [null, 7, "x", [], [aDocument()]]) expect(refusedAt(json)).toEqual([""]);
    const { seq: _seq, ...withoutSeq } = aDocument();
    expect(refusedAt(withoutSeq)).toEqual(["seq"]);
    expect(refusedAt({ ...aDocument(), weights: [] })).toEqual(["weights"]);
    const polluted = JSON.stringify(aDocument()).replace("{", '{"__proto__":{"candidateBp":1},');
    expect(refusedAt(JSON.parse(polluted))).toEqual(["__proto__"]);
    const inner = JSON.stringify(aDocument()).replace('"sticky":{', '"sticky":{"__proto__":1,');
    expect(refusedAt(JSON.parse(inner))).toEqual(["sticky.__proto__"]);
  });

  it.each([
    ["version", { version: 3 }],
    ["epoch", { epoch: -1 }],
    ["epoch", { epoch: Number.NaN }],
    ["seq", { seq: 1.5 }],
    ["seq", { seq: 2 ** 53 }],
    ["candidateBp", { candidateBp: 10_001 }],
    ["candidateBp", { candidateBp: "1000" }],
    ["candidateBp", { candidateBp: Number.NaN }],
    ["service", { service: "" }],
    ["service", { service: "two words" }],
    ["rolloutId", { rolloutId: 7 }],
    ["sticky.hash", { sticky: { hash: "v2", seed: 7, ttlMs: 1 } }],
    ["sticky.seed", { sticky: { hash: "v1", seed: 2 ** 32, ttlMs: 1 } }],
    ["allow", { allow: Array.from({ length: 10_001 }, (_, i) => `u${i}`) }],
    ["allow", { allow: ["a", "a"] }],
    ["allow[1]", { allow: ["a", 7] }],
    ["allow[0]", { allow: ["\ud800"] }],
    ["closed[0]", { closed: ["shadow"] }],
    ["closed", { closed: ["candidate", "candidate"], candidateBp: 0 }],
    ["identity.trustedHeaders[0]", { identity: { trustedHeaders: ["x user"], stickyBy: [] } }],
    ["identity.stickyBy", { identity: { trustedHeaders: [], stickyBy: Array(17).fill("x-a") } }],
    ["arms.stable.endpoints", { arms: { stable: target({ endpoints: [] }), candidate: null }, candidateBp: 0 }],
    [
      "arms.stable.endpoints",
      { arms: { stable: target({ endpoints: Array(65).fill("http://a") }), candidate: null }, candidateBp: 0 },
    ],
    [
      "arms.stable.cachePrefix",
      { arms: { stable: target({ cachePrefix: "a\r\nx: y" }), candidate: null }, candidateBp: 0 },
    ],
    ["issuedAt", { issuedAt: "now" }],
    ["drainMs", { drainMs: -1 }],
  ])("S13: refuses a bad %s: %j", (path, over) => {
    expect(refusedAt({ ...aDocument(), ...over })).toEqual([path]);
  });

  it("takes what an arm serves, and keeps it", () => {
    const serves = { schemaRev: { min: "sc-10", max: "sc-12" }, indexHash: ["9a77"], modelTag: null };
    const locked = aDocument({ arms: { ...aDocument().arms, stable: target({ serves }) } });
    expect(judge(wire(locked))).toEqual({ kind: "adopt", document: locked });
    expect(judge(wire(locked), locked).kind).toBe("keep");
    expect(judge(wire(aDocument()), locked).kind).toBe("refuse"); // Same epoch and seq, other content.
  });

  it.each([
    ["serves", { serves: null }],
    ["serves", { serves: [] }],
    ["serves.modelTag", { serves: { schemaRev: null, indexHash: null } }],
    ["serves.embedSchema", { serves: { schemaRev: null, indexHash: null, modelTag: null, embedSchema: null } }],
    ["serves.schemaRev", { serves: { schemaRev: "sc-1", indexHash: null, modelTag: null } }],
    ["serves.schemaRev.max", { serves: { schemaRev: { min: "sc-1" }, indexHash: null, modelTag: null } }],
    ["serves.schemaRev.min", { serves: { schemaRev: { min: 1, max: "sc-2" }, indexHash: null, modelTag: null } }],
    ["serves.schemaRev.max", { serves: { schemaRev: { min: "sc-1", max: "sc-02" }, indexHash: null, modelTag: null } }],
    ["serves.schemaRev", { serves: { schemaRev: { min: "sc-10", max: "sc-9" }, indexHash: null, modelTag: null } }],
    ["serves.indexHash", { serves: { schemaRev: null, indexHash: [], modelTag: null } }],
    ["serves.indexHash", { serves: { schemaRev: null, indexHash: "9a77", modelTag: null } }],
    ["serves.modelTag[1]", { serves: { schemaRev: null, indexHash: null, modelTag: ["a", "b c"] } }],
    ["serves.modelTag", { serves: { schemaRev: null, indexHash: null, modelTag: Array(17).fill("a") } }],
  ])("S13: refuses a bad arms.stable.%s: %j", (path, over) => {
    const admission = { ...aDocument(), arms: { ...aDocument().arms, stable: target(over) } };
    expect(refusedAt(admission)).toEqual([`arms.stable.${path}`]);
  });

  it("takes endpoints of scheme, host, port and path, and nothing else", () => {
    const at = (endpoint: string) =>
      refusedAt({
        ...aDocument(),
        candidateBp: 0,
        arms: { stable: target({ endpoints: [endpoint] }), candidate: null },
      });
    for (const endpoint of [
      "http://127.0.0.1:4001",
      "https://rag.example.org",
      "http://[::1]:80/base/v1",
      "http://a/",
    ]) {
      expect(at(endpoint)).toEqual(["adopt"]);
    }
    const refused = [
      "ftp://a",
      "http://",
      "//a",
      "http://a:0",
      "http://a:65536",
      "http://u:p@a",
      "http://a?x",
      "http://a#x",
      "http://a b",
      "javascript:alert(1)",
      "http://a\n",
      "http://a/\r\nHost: b",
      "HTTP:/a",
      "http://-a",
      "http://[::1",
      "http://a:",
      "http://ä",
    ];
    for (const endpoint of refused) expect(at(endpoint)).toEqual(["arms.stable.endpoints[0]"]);
  });

  it("refuses a share for an arm that is absent or closed, and a document that closes every arm", () => {
    const alone = { stable: target(), candidate: null };
    expect(refusedAt(aDocument({ arms: alone }))).toEqual(["candidateBp"]);
    expect(refusedAt(aDocument({ closed: ["candidate"] }))).toEqual(["candidateBp"]);
    expect(refusedAt(aDocument({ closed: ["stable"] }))).toEqual(["candidateBp"]);
    expect(judge(aDocument({ closed: ["candidate"], candidateBp: bp(0) })).kind).toBe("adopt");
    expect(judge(aDocument({ closed: ["stable"], candidateBp: bp(10_000) })).kind).toBe("adopt");
    expect(refusedAt(aDocument({ closed: ["stable", "candidate"] }))).toContain("closed");
    expect(refusedAt(aDocument({ arms: alone, closed: ["stable"] }))).toContain("closed");
  });

  it("I26: refuses cache prefixes of which one begins with the other", () => {
    const arms = (a: string, b: string) => ({
      stable: target({ cachePrefix: a }),
      candidate: target({ cachePrefix: b }),
    });
    for (const [a, b] of [
      ["v1:", "v1:"],
      ["v1", "v1:x"],
      ["v10", "v1"],
    ] as const) {
      expect(refusedAt(aDocument({ arms: arms(a, b) }))).toEqual(["arms.candidate.cachePrefix"]);
    }
    expect(judge(aDocument({ arms: arms("v1:", "v10:") })).kind).toBe("adopt");
  });

  it("lists every problem of a document, and at most 20", () => {
    expect(refusedAt({ ...aDocument(), epoch: -1, seq: -1, drainMs: null })).toEqual(["epoch", "seq", "drainMs"]);
    expect(refusedAt({ ...aDocument(), allow: Array(500).fill(0) })).toHaveLength(20);
  });

  it("I21: answers any JSON with a value, never with a throw", () => {
    const keys = Object.keys(aDocument());
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        const admission = judge({ ...aDocument(), [key]: value }, aDocument({ epoch: 0 }));
        return ["adopt", "keep", "refuse"].includes(admission.kind);
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (json) => judge(json).kind === "refuse"),
      { numRuns: 500 },
    );
  });
});

describe("admitText", () => {
  it("adopts the text of a valid document", () => {
    expect(admitText(JSON.stringify(aDocument()), null)).toEqual({ kind: "adopt", document: aDocument() });
  });

  it("refuses text that is no JSON", () => {
    for (const text of ["", "{", "<html>", '{"version":1,}']) expect(admitText(text, null).kind).toBe("refuse");
  });

  it("counts UTF-8 bytes and not characters against the limit", () => {
    const padded = (letter: string, count: number) =>
      `${JSON.stringify(aDocument())}${" ".repeat(9)}`.replace("support-rag-7", letter.repeat(count));
    const emoji = padded("🙂", 65_500);
    expect(emoji.length).toBeLessThan(DOCUMENT_LIMITS.bytes);
    const admission = admitText(emoji, null);
    const bytes = new TextEncoder().encode(emoji).length;
    expect(admission).toMatchObject({ problems: [{ message: expect.stringContaining(`found ${bytes} bytes`) }] });
  });
});
