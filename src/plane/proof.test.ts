import { describe, expect, it } from "vitest";
import { sharedSecretProof, tokenProof } from "./proof.ts";

describe("the secret of a proof", () => {
  it.each([
    ["a token", tokenProof],
    ["a shared secret", sharedSecretProof],
  ])("refuses %s that is empty at once, with advice", (_, proofOf) => {
    expect(() => proofOf("")).toThrow(/is empty; expected its credential; look at the variable or file/);
  });

  it("proves a text with a secret that is there, and no other text", async () => {
    const proof = tokenProof("t");
    const proven = await proof.prove("text");
    expect(await proof.isProven("text", proven)).toBe(true);
    expect(await proof.isProven("other", proven)).toBe(false);
  });
});
