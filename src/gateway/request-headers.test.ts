import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REFUSALS } from "./refusal.ts";
import { RequestFacts, RequestHeaderReader } from "./request-headers.ts";

const IDENTITY = { trustedHeaders: ["X-User-Id", "x-tenant"], stickyBy: ["x-tenant", "x-user-id", "x-raw"] };
const INTERNAL = ["x-exp", "x-release", "x-release-pin", "x-canary", "x-region-pin", "x-warm", "x-edge-ctx"];
const MORE_INTERNAL = [
  "x-cache-namespace",
  "schema-rev",
  "index-hash",
  "x-schema-rev",
  "x-model-tag",
  "x-sluice-arm",
  "x-sluice-doc",
  "x-probe",
];

function read(raw: readonly string[]): RequestFacts {
  const facts = new RequestHeaderReader(IDENTITY, 100).read(["Host", "x", ...raw], true, "no-list");
  if (!(facts instanceof RequestFacts)) throw new Error(`refused: ${facts.code}`);
  return facts;
}

describe("RequestHeaderReader", () => {
  it("S1: forwards no internal field in any of 10 000 spellings, and none of them names a unit or a pin it should not", () => {
    const spelling = fc
      .tuple(
        fc.constantFrom(...INTERNAL, ...MORE_INTERNAL),
        fc.array(fc.constantFrom("-", "_", "-", ".", "~", "'"), { minLength: 4, maxLength: 4 }),
        fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }),
        fc.nat({ max: 3 }),
      )
      .map(([name, signs, upper, copies]) => {
        let sign = 0;
        const spelled = [...name]
          .map((letter, at) => (letter === "-" ? signs[sign++ % 4] : upper[at] ? letter.toUpperCase() : letter))
          .join("");
        return Array.from({ length: copies + 1 }, () => [spelled, "candidate"]).flat();
      });
    fc.assert(
      fc.property(spelling, (fields) => {
        const facts = read([...fields, "x-user-id", "u1"]);
        expect(facts.headers).toEqual(["x-user-id", "u1"]);
        expect(facts.unit).toBe("u1");
      }),
      { numRuns: 10_000 },
    );
  });

  it("SL-1: takes schema pins from trusted headers out of the section, joins two copies, and drops what looks alike", () => {
    const trusted = { trustedHeaders: ["X-Schema-Rev", "x-model-tag"], stickyBy: [] };
    const raw = ["x-schema-rev", "sc-1", "X-SCHEMA-REV", "sc-2", "x-index-hash", "9a77", "x_model_tag", "m", "a", "b"];
    const facts = new RequestHeaderReader(trusted, 100).read(["Host", "x", ...raw], true, "no-list");
    expect(facts).toMatchObject({ pins: { schemaRev: "sc-1, sc-2" }, headers: ["a", "b"] });
    expect(read(["x-schema-rev", "sc-1"])).toMatchObject({ pins: null, headers: [] });
  });

  it("takes the unit of the first listed trusted header that is present, and of no other", () => {
    expect(read(["x-user-id", "u", "X-Tenant", "t"]).unit).toBe("t");
    expect(read(["x-raw", "r"]).unit).toBeNull();
    expect(read(["x_user_id", "u"]).unit).toBeNull();
    expect(read(["x_user_id", "u"]).headers).toEqual([]);
  });

  it.each([
    "a b",
    "a/b",
    "http://a",
    "a@b",
    "a:b",
    "a:99999",
    "a:80:80",
    "[::1",
    "::1",
    "münchen",
    "a,b",
    "a?b",
    "a#b",
  ])("refuses a Host that is none with 400: %s", (host) => {
    const refusal = new RequestHeaderReader(IDENTITY, 100).read(["Host", host], true, "no-list");
    expect(refusal).toBe(REFUSALS.hostName);
    expect(REFUSALS.hostName.status).toBe(400);
  });

  it.each(["a", "a.example:80", "127.0.0.1:4000", "[::1]:4000", "a_b", "xn--mnchen-3ya"])(
    "takes the Host %s",
    (host) => {
      expect(new RequestHeaderReader(IDENTITY, 100).read(["Host", host], true, "no-list")).toHaveProperty("headers");
    },
  );

  it("refuses a unit named twice, by any case", () => {
    const reader = new RequestHeaderReader(IDENTITY, 100);
    expect(reader.read(["Host", "x", "x-user-id", "a", "X-USER-ID", "a"], true, "no-list")).toBe(REFUSALS.identity);
  });

  it("takes two wishes and two pins for none", () => {
    expect(read(["x-exp", "candidate", "X-Exp", "stable"]).wish).toBe("");
    expect(read(["x-release-pin", "a", "x-release-pin", "b"]).pinToken).toBe("");
  });

  it("S2: drops every hop-by-hop field and what Connection lists, in any order and case", () => {
    const facts = read([
      "X-A",
      "1",
      "Connection",
      "close, x-a,,X-B",
      "x-b",
      "2",
      "Keep-Alive",
      "9",
      "TE",
      "trailers",
      "X-C",
      "3",
    ]);
    expect(facts.headers).toEqual(["X-C", "3"]);
    expect(read(["connection", "x-d", "x-d", "1", "Connection", "x-e", "x-e", "2"]).headers).toEqual([]);
  });

  it("drops fields that imitate framing", () => {
    expect(read(["Content_Length", "9", "transfer.encoding", "chunked", "x_forwarded_for", "1.1.1.1"]).headers).toEqual(
      [],
    );
  });

  it("remembers a bounded number of spellings and stays right beyond it", () => {
    const reader = new RequestHeaderReader(IDENTITY, 100);
    for (let at = 0; at < 3_000; at++) {
      const facts = reader.read(
        ["Host", "x", `x-n${at}`, "v", `X-eXp`, "candidate", "x-warm", "true"],
        true,
        "no-list",
      );
      expect((facts as RequestFacts).headers).toEqual([`x-n${at}`, "v"]);
    }
  });

  it("keeps everything else as it came, in order, byte for byte", () => {
    const token = fc.stringMatching(/^y[a-z0-9-]{0,12}$/);
    const value = fc.stringMatching(/^[\u0021-\u007e\u00a0-\u00ff]{0,20}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(token, value), { maxLength: 20 }), (fields) => {
        expect(read(fields.flat()).headers).toEqual(fields.flat());
      }),
    );
  });
});
