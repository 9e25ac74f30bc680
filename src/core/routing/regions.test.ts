import { describe, expect, it } from "vitest";
import { aDocument } from "../../../test/documents.ts";
import { type Bp, bp } from "../unit.ts";
import { admit } from "./admit.ts";
import type { RoutingDocument } from "./document.ts";
import { NO_TERMS, renderDocument } from "./document.ts";
import { type RegionTarget, regionView } from "./regions.ts";

const region = (name: string, ownBp: number, nearest: readonly string[], isFit = true): RegionTarget => ({
  name,
  endpoints: [`http://${name}.test:80`],
  ownBp: bp(ownBp) satisfies Bp,
  isFit,
  nearest,
});
const documentOf = (regions: readonly RegionTarget[], more: Partial<RoutingDocument> = {}): RoutingDocument => ({
  ...aDocument({ epoch: 7, seq: 1 }),
  ...NO_TERMS,
  version: 2,
  regions,
  ...more,
});
const alone = { arms: { stable: aDocument({}).arms.stable, candidate: null }, candidateBp: bp(0) };
const home = [region("us", 10_000, ["eu", "ap"]), region("eu", 10_000, ["us", "ap"]), region("ap", 10_000, ["eu"])];
const evacuated = home.map((one) => (one.name === "us" ? { ...one, ownBp: bp(0) } : one));

/** Where users who arrive in a region are served: all of them, or those that have not come back and those that have. */
function servedIn(regions: readonly RegionTarget[], name: string | null) {
  const { document, places } = regionView(documentOf(regions, alone), name);
  const { stable, candidate } = document.arms;
  return { places, at: [stable.endpoints[0], candidate?.endpoints[0] ?? null], bp: document.candidateBp };
}

describe("a document with regions", () => {
  it("serves everybody where they arrive, and without a region in the first one in service", () => {
    expect(servedIn(home, "eu").at).toEqual(["http://eu.test:80", null]);
    expect(servedIn(home, null).at).toEqual(["http://us.test:80", null]);
    expect(servedIn(evacuated, null).at).toEqual(["http://eu.test:80", null]);
  });

  it("sends the users of an evacuated region to its nearest in service, and those elsewhere nowhere else", () => {
    expect(servedIn(evacuated, "us").at).toEqual(["http://eu.test:80", null]);
    expect(servedIn(evacuated, "ap").at).toEqual(["http://ap.test:80", null]);
    const nearestIsUnfit = evacuated.map((one) => (one.name === "eu" ? { ...one, isFit: false } : one));
    expect(servedIn(nearestIsUnfit, "us").at).toEqual(["http://ap.test:80", null]);
  });

  it("gives a region its own users back by shares, as units that move one way", () => {
    const returning = home.map((one) => (one.name === "us" ? { ...one, ownBp: bp(3_000) } : one));
    const { at, bp: share, places } = servedIn(returning, "us");
    expect([at, share]).toEqual([["http://eu.test:80", "http://us.test:80"], 3_000]);
    expect(places).toEqual({ stable: "eu", candidate: "us" });
    expect(servedIn(returning, "eu").at).toEqual(["http://eu.test:80", null]);
  });

  it("is the document itself, and costs nothing, where there are none", () => {
    const plain = aDocument({});
    expect(regionView(plain, "us").document).toBe(plain);
  });

  it("lets nobody choose an evacuated region by a list or a pin: it has no arm", () => {
    const { document } = regionView(documentOf(evacuated, { ...alone, allow: ["ann"] }), "us");
    expect(document.arms.candidate).toBeNull();
    const returning = home.map((one) => (one.name === "us" ? { ...one, ownBp: bp(1_000) } : one));
    expect(regionView(documentOf(returning, { ...alone, allow: ["ann"] }), "us").document.allow).toEqual([]);
  });
});

describe("the admission of a document with regions", () => {
  const admitted = (document: RoutingDocument, current: RoutingDocument | null = null) => admit(document, current, 0);
  const problem = (document: RoutingDocument, current: RoutingDocument | null = null) => {
    const found = admitted(document, current);
    return found.kind === "refuse" ? found.problems[0]?.message : found.kind;
  };

  it("takes one that is whole, as it was written", () => {
    expect(admitted(documentOf(evacuated, alone))).toEqual({ kind: "adopt", document: documentOf(evacuated, alone) });
  });

  it("refuses one without a region in service, or with a neighbour that is none", () => {
    const none = home.map((one) => ({ ...one, ownBp: bp(0) }));
    expect(problem(documentOf(none, alone))).toContain("no region is in service");
    expect(problem(documentOf([region("us", 10_000, ["moon"])], alone))).toContain('found "moon"');
  });

  it("moves users of a region under a newer epoch alone: evacuated is sticky", () => {
    const current = documentOf(evacuated, alone);
    expect(problem(documentOf(home, { ...alone, seq: 2 }), current)).toContain("expected a newer epoch");
    expect(problem(documentOf(evacuated, { ...alone, seq: 2 }), current)).toBe("adopt");
    expect(problem(documentOf(home, { ...alone, epoch: 8 }), current)).toBe("adopt");
  });

  it("refuses a candidate beside a region that gets its users back", () => {
    const returning = home.map((one) => (one.name === "us" ? { ...one, ownBp: bp(1_000) } : one));
    expect(problem(documentOf(returning))).toContain("while there is a candidate");
  });

  it("is read by a data plane of the version before without them", () => {
    expect(renderDocument(documentOf(home, alone), 1)).not.toHaveProperty("regions");
  });
});
