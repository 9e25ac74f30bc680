import { describe, expect, it } from "vitest";
import { planAccess, readAccess } from "./access-schema.ts";

const problems = (value: unknown) => {
  const read = readAccess(value);
  return "problems" in read ? read.problems : [];
};

describe("access of a document", () => {
  it("holds names of secrets alone: a literal one is refused, whatever header it stands in", () => {
    for (const name of ["x-api-key", "Authorization", "cookie", "x-session", "x-amz-security-token"]) {
      expect(problems({ headers: { [name]: "literal-1" } })).toEqual([expect.stringContaining("write ${NAME}")]);
    }
    expect(problems({ headers: { "x-tenant": "acme", accept: "text/plain" } })).toEqual([]);
    expect(problems({ bearer: "literal-1" })).toHaveLength(1);
    expect(problems({ bearer: { file: "secrets/token" } })).toHaveLength(1);
  });

  it("gives one authorization at most, and cert and key together", () => {
    expect(problems({ bearer: "${A}", basic: { user: "u", password: "${B}" } })).toEqual([
      expect.stringContaining("at most one of bearer, basic, oauth"),
    ]);
    expect(problems({ bearer: "${A}", headers: { authorization: "Bearer ${A}" } })).toHaveLength(1);
    expect(problems({ tls: { cert: "/c.pem" } })).toEqual(["cert and key belong together"]);
    expect(problems({ headers: { Host: "other" } })).toEqual([
      expect.stringContaining("belongs to the request itself"),
    ]);
  });

  it("plans names, never values", () => {
    const read = readAccess({ headers: { "x-api-key": "${KEY}" }, bearer: { file: "/run/token" } });
    if (!("access" in read)) throw new Error("expected an access");
    expect(planAccess(read.access)).toEqual({
      headers: { "x-api-key": { text: "${KEY}" } },
      authorization: { kind: "bearer", token: { file: "/run/token" } },
      tls: null,
    });
  });
});
