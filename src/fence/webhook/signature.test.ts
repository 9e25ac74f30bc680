import { createPrivateKey, createPublicKey, sign as nodeSign, verify as nodeVerify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type EpochMs, epochMs } from "../../core/unit.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { createKeyPair, createSharedSecret, readSecret } from "./secret.ts";
import { webhookSigner } from "./sign.ts";
import { webhookVerifier } from "./verify.ts";

const ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT = epochMs(1_614_265_330_000);
const BODY = new TextEncoder().encode('{"test": 2432232314}');

/** Published with the specification's reference libraries (v1, v1a) and with the Svix server (64-byte private key). */
const VECTORS = [
  {
    from: "standard-webhooks, libraries/javascript/src/webhook.test.ts",
    secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    verifyWith: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  },
  {
    from: "standard-webhooks, libraries/go/webhook_asymmetric_test.go",
    secret: "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=",
    verifyWith: null,
    signature: "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==",
  },
  {
    from: "svix-webhooks, test_asymmetric_key_signing; the v1a signature in the specification's text",
    secret: "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
    verifyWith: "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
    signature: "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
  },
] as const;

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const headersOf = (signature: string, id = ID, timestamp = "1614265330") =>
  new Headers({ "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature });

describe("Standard Webhooks vectors", () => {
  it.each(VECTORS)("S12: signs as published by $from", async ({ secret, verifyWith, signature }) => {
    const signer = await webhookSigner([secret]);
    const headers = await signer.sign({ id: ID, attemptAt: AT, body: BODY });
    expect(headers).toEqual({
      "webhook-id": ID,
      "webhook-timestamp": "1614265330",
      "webhook-signature": signature,
    });
    if (verifyWith === null) return;
    const verifier = await webhookVerifier([verifyWith]);
    const found = await verifier.verify({ headers: headersOf(signature), body: BODY }, AT);
    expect(found).toEqual({ kind: "valid", id: ID, sentAt: AT });
  });

  it("S12: finds the valid one among the four signatures of the reference suite, whatever their order", async () => {
    const verifier = await webhookVerifier(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
    const [other, unknown] = [1, 2].map((version) => `v${version},Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=`);
    const list = [other, unknown, VECTORS[0].signature, other];
    for (let turn = 0; turn < list.length; turn++) {
      const signature = [...list.slice(turn), ...list.slice(0, turn)].join(" ");
      expect(await verifier.verify({ headers: headersOf(signature), body: BODY }, AT)).toMatchObject({ kind: "valid" });
    }
  });

  /** RFC 8032, section 7.1, tests 1 and 2: private and public key. */
  const RFC_8032 = [
    [
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    ],
    [
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    ],
  ] as const;
  it.each(RFC_8032)("S12: signs v1a with RFC 8032 key %s as node:crypto does", async (seed, publicKey) => {
    const [secret, verifyWith] = [`whsk_${toBase64(bytesOf(seed))}`, `whpk_${toBase64(bytesOf(publicKey))}`];
    const jwk = {
      kty: "OKP",
      crv: "Ed25519",
      d: Buffer.from(seed, "hex").toString("base64url"),
      x: Buffer.from(publicKey, "hex").toString("base64url"),
    };
    const content = Buffer.from(`${ID}.1614265330.${new TextDecoder().decode(BODY)}`);
    const signer = await webhookSigner([secret]);
    const { "webhook-signature": signature } = await signer.sign({ id: ID, attemptAt: AT, body: BODY });
    const wanted = nodeSign(null, content, createPrivateKey({ key: jwk, format: "jwk" }));
    expect(signature).toBe(`v1a,${wanted.toString("base64")}`);
    expect(nodeVerify(null, content, createPublicKey({ key: jwk, format: "jwk" }), wanted)).toBe(true);
    const verifier = await webhookVerifier([verifyWith]);
    expect(await verifier.verify({ headers: headersOf(signature), body: BODY }, AT)).toMatchObject({ kind: "valid" });
  });
});

describe("timestamps", () => {
  it("S12: a replay is accepted at 5 min and rejected at 5 min + 1 s, before and after, by both versions", async () => {
    const pair = await createKeyPair();
    const shared = createSharedSecret();
    for (const [signWith, verifyWith] of [
      [shared, shared],
      [pair.privateKey, pair.publicKey],
    ] as const) {
      const signed = await (await webhookSigner([signWith])).sign({ id: ID, attemptAt: AT, body: BODY });
      const verifier = await webhookVerifier([verifyWith]);
      const at = async (offsetMs: number) => {
        const now = (AT + offsetMs) as EpochMs;
        const found = await verifier.verify({ headers: new Headers(signed), body: BODY }, now);
        return found.kind === "valid" ? "valid" : found.reason;
      };
      expect(await Promise.all([0, 300_000, -300_000].map(at))).toEqual(["valid", "valid", "valid"]);
      expect(await Promise.all([301_000, 300_001].map(at))).toEqual(["timestamp-too-old", "timestamp-too-old"]);
      expect(await Promise.all([-301_000, -300_001].map(at))).toEqual(["timestamp-too-new", "timestamp-too-new"]);
    }
  });

  it("S12: a forged webhook is called a forgery, however old it says it is", async () => {
    const verifier = await webhookVerifier([createSharedSecret()]);
    const found = await verifier.verify({ headers: headersOf(VECTORS[0].signature), body: BODY }, epochMs(AT * 2));
    expect(found).toEqual({ kind: "invalid", reason: "signature-mismatch" });
  });
});

describe("rotation", () => {
  it("S12, SE-1, SE-4: signs with all active keys, and a receiver with any one of them accepts", async () => {
    const [old, next, pair] = [createSharedSecret(), createSharedSecret(), await createKeyPair()];
    const signer = await webhookSigner([next, old, pair.privateKey]);
    const signed = await signer.sign({ id: ID, attemptAt: AT, body: BODY });
    expect(signed["webhook-signature"].split(" ").map((text) => text.split(",")[0])).toEqual(["v1", "v1", "v1a"]);
    const results = await Promise.all(
      [[old], [next], [pair.publicKey], [createSharedSecret(), old], [createSharedSecret()]].map(async (secrets) => {
        const verifier = await webhookVerifier(secrets);
        return (await verifier.verify({ headers: new Headers(signed), body: BODY }, AT)).kind;
      }),
    );
    expect(results).toEqual(["valid", "valid", "valid", "valid", "invalid"]);
  });

  it("SE-6: takes every post while sender and receiver rotate, whichever of them is first, and none before an overlap", async () => {
    const [old, next] = [createSharedSecret(), createSharedSecret()];
    const verdict = async (sends: readonly string[], reads: readonly string[]) => {
      const signed = await (await webhookSigner(sends)).sign({ id: ID, attemptAt: AT, body: BODY });
      const verifier = await webhookVerifier(reads);
      return (await verifier.verify({ headers: new Headers(signed), body: BODY }, AT)).kind;
    };
    const senderFirst = [
      [[old], [old]],
      [[next, old], [old]],
      [[next, old], [next]],
      [[next], [next]],
    ] as const;
    const receiverFirst = [
      [[old], [next, old]],
      [[next], [next, old]],
      [[next], [next]],
    ] as const;
    for (const [sends, reads] of [...senderFirst, ...receiverFirst]) expect(await verdict(sends, reads)).toBe("valid");
    expect([await verdict([next], [old]), await verdict([old], [next])]).toEqual(["invalid", "invalid"]);
  });

  it("verifies bytes: a body that is no text at all is signed and verified as it is", async () => {
    const secret = createSharedSecret();
    const body = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const signed = await (await webhookSigner([secret])).sign({ id: ID, attemptAt: AT, body });
    const verifier = await webhookVerifier([secret]);
    expect((await verifier.verify({ headers: new Headers(signed), body }, AT)).kind).toBe("valid");
  });
});

describe("readSecret", () => {
  const encoded = (count: number) => toBase64(new Uint8Array(count).fill(7));

  it("takes 24 to 64 bytes for whsec_, 32 or a matching 64 for whsk_, 32 for whpk_, and nothing else", async () => {
    const pair = await createKeyPair();
    const both = `whsk_${toBase64(
      Uint8Array.of(
        ...(fromBase64(pair.privateKey.slice(5)) as Uint8Array),
        ...(fromBase64(pair.publicKey.slice(5)) as Uint8Array),
      ),
    )}`;
    const good = [`whsec_${encoded(24)}`, `whsec_${encoded(64)}`, pair.privateKey, pair.publicKey, both];
    for (const text of good) expect((await readSecret(text)).kind, text).toBe("key");
    const bad = [
      "",
      "whsec_",
      `whsec_${encoded(23)}`,
      `whsec_${encoded(65)}`,
      `whsk_${encoded(31)}`,
      `whsk_${encoded(64)}`,
      `whpk_${encoded(33)}`,
      encoded(32),
      `WHSEC_${encoded(32)}`,
      `whsec_${encoded(32)}\n`,
      `whsec_${encoded(32).replace("=", "")}`,
    ];
    for (const text of bad) expect((await readSecret(text)).kind, text).toBe("invalid");
  });

  it("S11: never quotes the secret in what it says about it", async () => {
    for (const text of [
      `whsec_${encoded(23)}`,
      `whsk_${encoded(64)}`,
      `whpk_${encoded(16)}`,
      `secret ${encoded(32)}`,
    ]) {
      const reading = await readSecret(text);
      expect(reading).toMatchObject({ kind: "invalid", reason: expect.stringMatching(/expected|pair/) });
      expect(JSON.stringify(reading)).not.toContain(encoded(9));
      await expect(webhookSigner([text])).rejects.toThrow(/secret 1 /);
    }
  });

  it("refuses to sign with a public key, to verify with a private one, and to do either with none", async () => {
    const pair = await createKeyPair();
    await expect(webhookSigner([pair.publicKey])).rejects.toThrow("cannot sign");
    await expect(webhookVerifier([pair.privateKey])).rejects.toThrow("cannot verify");
    await expect(webhookVerifier([])).rejects.toThrow("no secret");
  });

  it("refuses to sign an id that could reach into the timestamp", async () => {
    const signer = await webhookSigner([createSharedSecret()]);
    for (const id of ["a.1614265330", "", "two words", "é"]) {
      await expect(signer.sign({ id, attemptAt: AT, body: BODY })).rejects.toThrow("full stop");
    }
  });
});
