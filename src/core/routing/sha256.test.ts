import { createHash, createHmac, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hmacSha256, sha256 } from "./sha256.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

describe("sha256", () => {
  it.each([
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ],
    ["a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
  ])("gives the published digest of a message (%#)", (message, digest) => {
    expect(sha256(ascii(message))).toBe(digest);
  });

  it("agrees with the platform at every length up to three blocks", () => {
    for (let length = 0; length <= 192; length++) {
      const bytes = randomBytes(length);
      expect([length, sha256(bytes)]).toEqual([length, createHash("sha256").update(bytes).digest("hex")]);
    }
  });
});

describe("hmacSha256", () => {
  it.each([
    ["0b".repeat(20), "4869205468657265", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    ["aa".repeat(20), "dd".repeat(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
  ])("gives the codes of RFC 4231 (%#)", (key, message, code) => {
    const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
    expect(hmacSha256(bytes(key), bytes(message))).toBe(code);
  });

  it("agrees with the platform at every length of a key up to two blocks", () => {
    for (let length = 0; length <= 130; length++) {
      const [key, message] = [randomBytes(length), randomBytes(length)];
      expect(hmacSha256(key, message)).toBe(createHmac("sha256", key).update(message).digest("hex"));
    }
  });
});
