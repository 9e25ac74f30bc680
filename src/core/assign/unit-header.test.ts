import { describe, expect, it } from "vitest";
import { unitHeadersOf, unitOfHeader } from "./unit-header.ts";
import { xxHash32 } from "./xxhash32.ts";

const onTheWire = (text: string) => Buffer.from(text, "utf8").toString("latin1");

describe("unitHeadersOf", () => {
  it("keeps the order of stickyBy and drops what is not trusted", () => {
    const identity = { trustedHeaders: ["X-User-Id", "x-tenant"], stickyBy: ["x-tenant", "x-session", "x-user-id"] };
    expect(unitHeadersOf(identity)).toEqual(["x-tenant", "x-user-id"]);
  });

  it("is empty when nothing is trusted", () => {
    expect(unitHeadersOf({ trustedHeaders: [], stickyBy: ["x-user-id"] })).toEqual([]);
  });
});

describe("unitOfHeader", () => {
  it("takes ASCII as it is, without the white space around it", () => {
    expect(unitOfHeader(" user-7 ")).toBe("user-7");
  });

  it("reads bytes beyond ASCII as UTF-8, so that the hash sees the bytes that were on the wire", () => {
    for (const unit of ["Müller", "用户-10086", "voilà", "🙂%41+\\", "\u07ff\u0800\u{10ffff}"]) {
      expect(unitOfHeader(onTheWire(unit))).toBe(unit);
      expect(xxHash32(unitOfHeader(onTheWire(unit)) ?? "", 7)).toBe(xxHash32(unit, 7));
    }
  });

  it("names no unit when empty, blank or not UTF-8", () => {
    for (const value of ["", "   ", "\xff", "\xc3", "a\x80", "\xed\xa0\x80", "\xc0\xaf"]) {
      expect(unitOfHeader(value)).toBeNull();
    }
  });

  it("takes text that cannot be bytes as text", () => {
    expect(unitOfHeader("Łódź")).toBe("Łódź");
  });
});
