import { describe, expect, it } from "vitest";
import { aDocument } from "../../../test/documents.ts";
import { bp } from "../unit.ts";
import { admit } from "./admit.ts";
import { isProvisional, NO_TERMS, renderDocument, type RoutingDocument } from "./document.ts";
import { compileRouteTable, route, stableOnly } from "./route.ts";
import type { ShadowOrder } from "./shadow.ts";

const ORDER: ShadowOrder = {
  shareBp: bp(1_000),
  perSecond: 50,
  inFlight: 16,
  bodyBytes: 16_384,
  timeoutMs: 30_000,
  methods: ["GET", "HEAD"],
  paths: [],
  headers: ["x-tenant"],
  effects: "deny",
};

const shadowed = (order: object = ORDER, over: Partial<RoutingDocument> = {}) =>
  ({
    ...aDocument({ candidateBp: bp(0) }),
    ...NO_TERMS,
    version: 2,
    store: "store-1",
    lease: { ms: 15_000 },
    shadow: order,
    ...over,
  }) as RoutingDocument;

function refusedAt(document: RoutingDocument): readonly string[] {
  const admission = admit(JSON.parse(JSON.stringify(document)), null, 1_000);
  return admission.kind === "refuse" ? admission.problems.map(({ path }) => path) : [admission.kind];
}

describe("a document with a shadow order", () => {
  it("is taken as it is, and is one that a lease ends", () => {
    const document = shadowed();
    expect(admit(JSON.parse(JSON.stringify(document)), null, 1_000)).toEqual({ kind: "adopt", document });
    expect(isProvisional(document)).toBe(true);
  });

  it("is read by a data plane of version 1 as the same routing without copies", () => {
    expect(renderDocument(shadowed(), 1)).toEqual(aDocument({ candidateBp: bp(0) }));
  });

  it.each<readonly [string, RoutingDocument]>([
    ["shadow.shareBp", shadowed({ ...ORDER, shareBp: 0 })],
    ["shadow.inFlight", shadowed({ ...ORDER, inFlight: 257 })],
    ["shadow.bodyBytes", shadowed({ ...ORDER, bodyBytes: 1_048_577 })],
    ["shadow.methods[0]", shadowed({ ...ORDER, methods: ["get"] })],
    ["shadow.paths[0]", shadowed({ ...ORDER, paths: ["answer"] })],
    ["shadow.headers[0]", shadowed({ ...ORDER, headers: ["x-exp"] })],
    ["shadow.headers[0]", shadowed({ ...ORDER, headers: ["idempotency-key"] })],
    ["shadow.effects", shadowed({ ...ORDER, effects: "yes" })],
    ["shadow.more", shadowed({ ...ORDER, more: 1 })],
    ["shadow", shadowed(ORDER, { candidateBp: bp(1) })],
    ["shadow", shadowed(ORDER, { closed: ["candidate"] })],
    ["shadow", shadowed(ORDER, { arms: { ...aDocument().arms, candidate: null } })],
  ])("is refused at %s where that is out of bounds or would give the candidate a user", (path, document) => {
    expect(refusedAt(document)).toEqual([path]);
  });

  it("gives the candidate nobody: neither a pin, nor the allow-list, nor a share, with a lease or without", () => {
    const table = compileRouteTable(shadowed(ORDER, { allow: ["u1"] }));
    for (const one of [table, stableOnly(table, "lease-expired")]) {
      expect(route(one, "u1", null, "candidate").arm).toBe("stable");
      expect(route(one, "u2", { arm: "candidate", purpose: "qa" }, null).arm).toBe("stable");
    }
    expect(route(table, "u2", null, null)).toMatchObject({ arm: "stable", reason: "shadow" });
  });
});
