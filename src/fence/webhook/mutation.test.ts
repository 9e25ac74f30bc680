import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { randomStream } from "../../core/stats/random.ts";
import { epochMs } from "../../core/unit.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { webhookSigner } from "./sign.ts";
import { type WebhookVerifier, webhookVerifier } from "./verify.ts";

const AT = epochMs(1_614_265_330_000);
const [SEED, MUTATIONS_MIN] = [12, 200];

/** A webhook on the wire; `headers` may name a header twice. */
interface Wire {
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

interface Sample {
  readonly id: string;
  readonly timestamp: string;
  readonly version: "v1" | "v1a";
  readonly signature: Uint8Array;
  readonly body: Uint8Array;
}

type Mutation = readonly [name: string, wire: Wire];

/** The sample with some parts replaced; `list` replaces the whole signature header. */
function wireOf(sample: Sample, change: Partial<Sample> & { readonly list?: string } = {}): Wire {
  const { id, timestamp, version, signature, body } = { ...sample, ...change };
  const list = change.list ?? `${version},${toBase64(signature)}`;
  return {
    headers: [
      ["webhook-id", id],
      ["webhook-timestamp", timestamp],
      ["webhook-signature", list],
    ],
    body,
  };
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
}

/** Bits and characters replaced at seeded places. */
function flips(sample: Sample, draw: () => number): readonly Mutation[] {
  const below = (end: number) => Math.floor(draw() * end);
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  const replaced = (text: string, alphabet: string) => {
    const at = below(text.length);
    const options = [...alphabet].filter((letter) => letter !== text[at]);
    return `${text.slice(0, at)}${options[below(options.length)]}${text.slice(at + 1)}`;
  };
  const rounds = Array.from({ length: 60 }, (_, round) => round);
  return rounds.flatMap((round): readonly Mutation[] => [
    [
      `signature bit, ${round}`,
      wireOf(sample, { signature: flipped(sample.signature, below(sample.signature.length * 8)) }),
    ],
    [`body bit, ${round}`, wireOf(sample, { body: flipped(sample.body, below(sample.body.length * 8)) })],
    [`id letter, ${round}`, wireOf(sample, { id: replaced(sample.id, letters) })],
    [
      `timestamp moved, ${round}`,
      wireOf(sample, { timestamp: `${1_614_265_330 + (round < 30 ? round - 30 : round - 29)}` }),
    ],
  ]);
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** Other bodies that mean nearly the same, or that a careless reader would take for the same. */
function bodies(sample: Sample): readonly Mutation[] {
  const text = new TextDecoder().decode(sample.body);
  const others = [
    "",
    text.replace(" ", ""),
    `${text}\n`,
    `\ufeff${text}`,
    text.replace("é", "e\u0301"),
    `${text} `,
    text.replace(/"/g, "'"),
    JSON.stringify(JSON.parse(text)),
    JSON.stringify(JSON.parse(text), null, 2),
    text.replace("{", '{"admin":true,'),
    `${text}${text}`,
    text.slice(1),
    text.slice(0, -1),
    `${text}\u0000`,
    `.${text}`,
  ];
  return others.map((other, index): Mutation => [`body ${index}`, wireOf(sample, { body: bytes(other) })]);
}

/** The signature header cut, doubled, relabelled and respelled. */
function lists(sample: Sample): readonly Mutation[] {
  const { version, signature } = sample;
  const text = toBase64(signature);
  const other = version === "v1" ? "v1a" : "v1";
  const cut = [0, 1, 8, 16, 31, 32, 33, 63].filter((length) => length < signature.length);
  const spelled = [
    ["other version", `${other},${text}`],
    ["unknown version", `v2,${text}`],
    ["upper-case version", `${version.toUpperCase()},${text}`],
    ["no version", text],
    ["empty version", `,${text}`],
    ["colon", `${version}:${text}`],
    ["equals sign", `${version}=${text}`],
    ["two commas", `${version},,${text}`],
    ["comma behind", `${version},${text},`],
    ["no signature", `${version},`],
    ["version alone", version],
    ["versions in one", `v1,v1a,${text}`],
    ["space behind the comma", `${version}, ${text}`],
    ["space before the comma", `${version} ,${text}`],
    ["space inside", `${version},${text.slice(0, 9)} ${text.slice(9)}`],
    ["tab inside", `${version},${text.slice(0, 9)}\t${text.slice(9)}`],
    ["two spaces", `v2,AAAA  ${version},${text}`],
    ["tab between", `v2,AAAA\t${version},${text}`],
    ["newline-free fold", `v2,AAAA, ${version},${text}`],
    ["semicolon between", `v2,AAAA;${version},${text}`],
    ["no-break space before", `\u00a0${version},${text}`],
    ["latin letter", `${version},é${text.slice(1)}`],
    ["quoted", `"${version},${text}"`],
    ["bracketed", `[${version},${text}]`],
    ["no padding", `${version},${text.replaceAll("=", "")}`],
    ["more padding", `${version},${text}=`],
    ["four signs of padding", `${version},${text}====`],
    ["padding inside", `${version},${text.slice(0, 8)}=${text.slice(8)}`],
    ["stray bits", `${version},${strayBits(text)}`],
    ["lower case", `${version},${text.toLowerCase()}`],
    ["upper case", `${version},${text.toUpperCase()}`],
    ["reversed", `${version},${[...text].reverse().join("")}`],
    ["hexadecimal", `${version},${Buffer.from(signature).toString("hex")}`],
    ["percent-encoded", `${version},${encodeURIComponent(text)}`],
    ["encoded twice", `${version},${toBase64(bytes(text))}`],
    ["a byte more", `${version},${toBase64(Uint8Array.of(...signature, 0))}`],
    ["a byte before", `${version},${toBase64(Uint8Array.of(0, ...signature))}`],
    ["twice itself", `${version},${toBase64(Uint8Array.of(...signature, ...signature))}`],
    ["all zero", `${version},${toBase64(new Uint8Array(signature.length))}`],
    ["all one", `${version},${toBase64(new Uint8Array(signature.length).fill(255))}`],
    ["too long a list", `${"v2,AAAA ".repeat(600)}${version},${text}`],
  ] as const;
  return [
    ...cut.map((length): Mutation => [`cut to ${length}`, wireOf(sample, { signature: signature.slice(0, length) })]),
    ...cut.map(
      (length): Mutation => [`text cut to ${length}`, wireOf(sample, { list: `${version},${text.slice(0, length)}` })],
    ),
    ...spelled.map(([name, list]): Mutation => [name, wireOf(sample, { list })]),
  ];
}

/** The last letter before the padding with a bit set that stands for nothing. */
function strayBits(text: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const at = text.indexOf("=") - 1;
  return `${text.slice(0, at)}${alphabet[alphabet.indexOf(text[at] as string) + 1]}${text.slice(at + 1)}`;
}

/** Ids and timestamps respelled, moved across their border, left out and sent twice. */
function heads(sample: Sample): readonly Mutation[] {
  const { id, timestamp } = sample;
  const base = wireOf(sample);
  const without = base.headers.map(
    ([name]): Mutation => [`without ${name}`, { ...base, headers: base.headers.filter(([other]) => other !== name) }],
  );
  const twice = base.headers.map(
    (header): Mutation => [`${header[0]} twice`, { ...base, headers: [...base.headers, header] }],
  );
  const renamed = base.headers.map(
    ([name]): Mutation => [
      `${name} renamed`,
      { ...base, headers: base.headers.map(([other, value]) => [other === name ? `x-${name}` : other, value]) },
    ],
  );
  const stamps = [
    "0",
    "-1",
    "+1614265330",
    "01614265330",
    "1614265330.0",
    "1614265330.5",
    "1.61426533e9",
    "0x6037bd72",
    "1614265330000",
    "1614265330 x",
    "NaN",
    "Infinity",
    "",
  ];
  const ids = [
    id.toUpperCase(),
    `${id}x`,
    id.slice(0, -1),
    `${id} ${id}`,
    `${id}.${timestamp}`,
    `${id},`,
    `é${id}`,
    "",
    "x".repeat(256),
    `${id}\u00a0`,
  ];
  return [
    ...without,
    ...twice,
    ...renamed,
    ...stamps.map((text): Mutation => [`timestamp ${text}`, wireOf(sample, { timestamp: text })]),
    ...ids.map((text): Mutation => [`id ${text}`, wireOf(sample, { id: text })]),
    ["border moved left", wireOf(sample, { id: `${id}.1`, timestamp: timestamp.slice(1) })],
    ["border moved into the body", wireOf(sample, { timestamp: `${timestamp}.`, body: sample.body })],
    ["id and timestamp swapped", wireOf(sample, { id: timestamp, timestamp: id })],
  ];
}

async function rejections(verifier: WebhookVerifier, mutations: readonly Mutation[]) {
  const kinds = new Map<string, number>();
  const accepted: string[] = [];
  for (const [name, { headers, body }] of mutations) {
    const given = new Headers();
    for (const [key, value] of headers) given.append(key, value);
    const found = await verifier.verify({ headers: given, body }, AT);
    if (found.kind === "valid") accepted.push(name);
    else kinds.set(found.reason, (kinds.get(found.reason) ?? 0) + 1);
  }
  return { kinds, accepted };
}

/** Every mutation that is not the sample itself, each once. */
function distinct(sample: Sample, mutations: readonly Mutation[]): readonly Mutation[] {
  const key = ({ headers, body }: Wire) => JSON.stringify([headers, Buffer.from(body).toString("hex")]);
  const seen = new Set([key(wireOf(sample))]);
  return mutations.filter(([, wire]) => !seen.has(key(wire)) && seen.add(key(wire)));
}

async function sampleOf(signWith: string, version: Sample["version"]): Promise<Sample> {
  const [id, body] = ["msg_p5jXN8AQM9LWM0D4loKWxJek", bytes('{"test": 2432232314, "name": "é"}')];
  const signed = await (await webhookSigner([signWith])).sign({ id, attemptAt: AT, body });
  const signature = fromBase64(signed["webhook-signature"].slice(version.length + 1)) as Uint8Array;
  return { id, timestamp: signed["webhook-timestamp"], version, signature, body };
}

/** The same signature with the group order added to its second half: another spelling that some verifiers take. */
function malleated(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const half = signature.slice(32).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n) + order;
  const out = Uint8Array.from(signature);
  for (let index = 0; index < 32; index++) out[32 + index] = Number((half >> BigInt(8 * index)) & 255n);
  return out;
}

const SHARED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const [PRIVATE, PUBLIC] = [
  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
  "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
];
const OTHER_PRIVATE = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";

/** Genuine signatures by keys nobody trusts, and by a public key misused as a shared secret. */
async function foreign(sample: Sample): Promise<readonly Mutation[]> {
  const content = Buffer.concat([Buffer.from(`${sample.id}.${sample.timestamp}.`), sample.body]);
  const mac = (key: Uint8Array) => createHmac("sha256", key).update(content).digest();
  const keys = [
    fromBase64(PUBLIC.slice(5)),
    fromBase64(PRIVATE.slice(5)),
    bytes(SHARED),
    bytes(SHARED.slice(6)),
    new Uint8Array(32),
  ];
  const other = await sampleOf(OTHER_PRIVATE, "v1a");
  return [
    ...keys.flatMap((key, index) =>
      (["v1", "v1a"] as const).map(
        (version): Mutation => [
          `key ${index} as ${version}`,
          wireOf(sample, { version, signature: mac(key as Uint8Array) }),
        ],
      ),
    ),
    ["another private key", wireOf(sample, { version: "v1a", signature: other.signature })],
    [
      "body signed alone",
      wireOf(sample, {
        signature: createHmac("sha256", fromBase64(SHARED.slice(6)) as Uint8Array)
          .update(sample.body)
          .digest(),
      }),
    ],
  ];
}

describe("200 signature mutations", () => {
  it.each([
    ["v1", SHARED, SHARED],
    ["v1a", PRIVATE, PUBLIC],
  ] as const)(
    "S12: %s: at least 200 distinct mutations of one webhook are all rejected",
    async (version, signWith, verifyWith) => {
      const [sample, verifier] = [await sampleOf(signWith, version), await webhookVerifier([verifyWith])];
      const untouched = await rejections(verifier, [["untouched", wireOf(sample)]]);
      expect(untouched.accepted).toEqual(["untouched"]); // Or every rejection below would mean nothing.
      const more: readonly Mutation[] =
        version === "v1a" ? [["order added", wireOf(sample, { signature: malleated(sample.signature) })]] : [];
      const all = [
        ...flips(sample, randomStream(SEED)),
        ...bodies(sample),
        ...lists(sample),
        ...heads(sample),
        ...(await foreign(sample)),
        ...more,
      ];
      const mutations = distinct(sample, all);
      expect(mutations.length).toBeGreaterThanOrEqual(MUTATIONS_MIN);
      const { accepted, kinds } = await rejections(verifier, mutations);
      expect(accepted).toEqual([]);
      expect(kinds.get("signature-mismatch") ?? 0).toBeGreaterThan(150); // The cryptography said no, not only the grammar.
      expect([...kinds.keys()].sort()).toEqual(["header-malformed", "header-missing", "signature-mismatch"]);
    },
  );
});
