import { describe, expect, it } from "vitest";
import { isRepeatable, upstreamFailure } from "./failure.ts";

const coded = (code: string) => Object.assign(new Error("x"), { code });

describe("upstreamFailure", () => {
  it("names stage, family and code", () => {
    expect(upstreamFailure(coded("ECONNREFUSED"), "connect").errorClass).toBe("connect|network|ECONNREFUSED");
    expect(upstreamFailure(coded("UND_ERR_HEADERS_TIMEOUT"), "headers").errorClass).toBe("headers|timeout|ETIMEDOUT");
    expect(upstreamFailure(coded("HPE_INVALID_CONSTANT"), "headers").errorClass).toBe("headers|network|EPROTO");
    expect(upstreamFailure(coded("DEPTH_ZERO_SELF_SIGNED_CERT"), "connect").errorClass).toMatch(/^tls\|network\|/);
    expect(upstreamFailure("thrown text", "body").errorClass).toBe("body|network|other");
  });

  it("gives a peer that goes away one class, however the system reports it", () => {
    const codes = [
      "UND_ERR_SOCKET",
      "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
      "HPE_INVALID_EOF_STATE",
      "ECONNRESET",
      "EPIPE",
    ];
    expect(new Set(codes.map((code) => upstreamFailure(coded(code), "body").errorClass))).toEqual(
      new Set(["body|network|ECONNRESET"]),
    );
  });

  it("takes a cut of our own and a request that cannot be sent for no failure of the arm", () => {
    expect(upstreamFailure(coded("UND_ERR_DESTROYED"), "body").isOurs).toBe(true);
    expect(upstreamFailure(coded("UND_ERR_INVALID_ARG"), "connect").isUnsendable).toBe(true);
  });
});

describe("isRepeatable", () => {
  const gone = upstreamFailure(coded("ECONNRESET"), "headers");
  const late = upstreamFailure(coded("UND_ERR_HEADERS_TIMEOUT"), "headers");

  it.each([
    ["a POST that was never sent", true, gone, "connect", "POST", true],
    ["a GET without an answer", true, gone, "headers", "GET", false],
    ["a GET with a body", false, gone, "headers", "GET", true],
    ["a GET that waited its time already", false, late, "headers", "GET", false],
    ["a POST that may have had its effect", false, gone, "headers", "POST", false],
    ["a DELETE, idempotent but not safe", false, gone, "headers", "DELETE", false],
    ["a GET whose answer began", false, gone, "body", "GET", false],
  ] as const)("%s: %s", (_, expected, failure, progress, method, hasBody) => {
    expect(isRepeatable(failure, progress, method, hasBody)).toBe(expected);
  });
});
