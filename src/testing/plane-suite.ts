import type { ServingArm } from "../core/arm.ts";
import { assert } from "../core/assert.ts";
import { NO_TERMS, type RoutingDocument } from "../core/routing/document.ts";
import { bp, epochMs } from "../core/unit.ts";
import { makeSuiteSigner, type SuiteSigner } from "./suite-signer.ts";

/** What one simulated request met at a data plane. */
export interface PlaneAnswer {
  readonly arm: ServingArm;
  /** Name, value, … as the service got them; null where the data plane has no service behind it. */
  readonly toService: readonly string[] | null;
  /** Name, value, … as the client got them. */
  readonly toClient: readonly string[];
}

/** What a data plane brings to its conformance run; it began with `planeDocument(1, 0)` and knows the suite's key. */
export interface PlaneWorld {
  /** Where both arms answer, when that matters to it; by default an address where nobody does. */
  readonly endpoint?: string;
  /** Gives it a document as JSON text; what it says to that. */
  offer(text: string): Promise<"adopt" | "keep" | "refuse">;
  /** One request with these header fields, in order. */
  ask(headers: readonly (readonly [name: string, value: string])[]): Promise<PlaneAnswer>;
}

export interface PlaneCase {
  readonly name: string;
  /** @param signer the controller's, whose public key the data plane was told */
  run(world: PlaneWorld, signer: SuiteSigner): Promise<void>;
}

/** Where nobody answers. */
const NOWHERE = "http://127.0.0.1:9";

/** A document of the suite: all users on `candidateBp`, unit from `x-user-id`. */
export function planeDocument(epoch: number, candidateBp: number, over: object = {}): RoutingDocument {
  const target = (name: string) => ({ releaseId: name, endpoints: [NOWHERE], cachePrefix: `${name}:` });
  return {
    ...NO_TERMS,
    version: 2,
    service: "suite",
    epoch,
    seq: 1,
    rolloutId: "suite-1",
    arms: { stable: target("r1"), candidate: target("v2") },
    candidateBp: bp(candidateBp),
    sticky: { hash: "v1", seed: 1, ttlMs: 60_000 },
    identity: { trustedHeaders: ["x-user-id"], stickyBy: ["x-user-id"] },
    allow: [],
    closed: [],
    drainMs: 1_000,
    issuedAt: epochMs(1_700_000_000_000),
    ...over,
  };
}

const ANN = [["x-user-id", "ann"]] as const;

/** A document of the suite with its arms where this data plane looks for them. */
function documentOf({ endpoint }: PlaneWorld, epoch: number, candidateBp: number, over: object = {}): RoutingDocument {
  const document = planeDocument(epoch, candidateBp, over);
  return JSON.parse(JSON.stringify(document).replaceAll(NOWHERE, endpoint ?? NOWHERE)) as RoutingDocument;
}

async function expectArm(world: PlaneWorld, arm: ServingArm, why: string): Promise<void> {
  const answer = await world.ask(ANN);
  assert(answer.arm === arm, `${why}: answered by ${answer.arm}, expected ${arm}`);
}

/** What every data plane must do, whatever carries its requests. */
export const planeSuite: readonly PlaneCase[] = [
  {
    name: "routes the next request by the document it took",
    async run(world, signer) {
      await expectArm(world, "stable", "at 0");
      assert(
        (await world.offer(await signer.signed(documentOf(world, 2, 10_000)))) === "adopt",
        "a newer document is taken",
      );
      await expectArm(world, "candidate", "at 10 000");
    },
  },
  {
    name: "I21: keeps its last good document when a bad, an oversized or a foreign one arrives",
    async run(world, signer) {
      await world.offer(await signer.signed(documentOf(world, 2, 10_000)));
      const bad = [
        "",
        "{}",
        await signer.signed(documentOf(world, 3, 0, { candidateBp: 10_001 })),
        await signer.signed(documentOf(world, 3, 0, { surprise: 1 })),
        await signer.signed(documentOf(world, 3, 0, { service: "other" })),
        await signer.signed(documentOf(world, 3, 0, { allow: ["x".repeat(300_000)] })),
      ];
      for (const one of bad) assert((await world.offer(one)) === "refuse", `took ${one.slice(0, 80)}`);
      await expectArm(world, "candidate", "after what it refused");
    },
  },
  {
    name: "I8: never goes back, and never takes other content under a number it has",
    async run(world, signer) {
      await world.offer(await signer.signed(documentOf(world, 5, 10_000)));
      assert(
        (await world.offer(await signer.signed(documentOf(world, 4, 0)))) === "keep",
        "an older document changes nothing",
      );
      assert(
        (await world.offer(await signer.signed(documentOf(world, 5, 10_000)))) === "keep",
        "the same document changes nothing",
      );
      assert(
        (await world.offer(await signer.signed(documentOf(world, 5, 0)))) === "refuse",
        "one number has one content",
      );
      await expectArm(world, "candidate", "after all of them");
    },
  },
  {
    name: "sends nobody to a closed arm",
    async run(world, signer) {
      await world.offer(await signer.signed(documentOf(world, 2, 10_000)));
      await world.offer(await signer.signed(documentOf(world, 3, 0, { closed: ["candidate"], allow: ["ann"] })));
      await expectArm(world, "stable", "closed");
    },
  },
  {
    name: "takes nothing that is not signed, or signed by a stranger, or changed after it was signed",
    async run(world, signer) {
      const everybody = documentOf(world, 2, 10_000);
      const signed = await signer.signed(everybody);
      const stranger = await makeSuiteSigner();
      const own: object = JSON.parse(signed);
      const forged: object = JSON.parse(await stranger.signed(everybody));
      const bad = [
        JSON.stringify(everybody),
        JSON.stringify({ ...everybody, version: 1 }),
        await stranger.signed(everybody),
        JSON.stringify({ ...forged, kid: valueOf(own, "kid") }),
        JSON.stringify({ ...own, kid: null, signature: null }),
        JSON.stringify({ ...own, signature: valueOf(forged, "signature") }),
        signed.replace('"candidateBp":10000', '"candidateBp":9999'),
        signed.replace('"epoch":2', '"epoch":3'),
        signed.replace('"releaseId":"v2"', '"releaseId":"v3"'),
      ];
      for (const one of bad) {
        assert(one !== signed && (await world.offer(one)) === "refuse", `took ${one.slice(-400)}`);
      }
      await expectArm(world, "stable", "after what it refused");
      assert((await world.offer(signed)) === "adopt", "the document itself is taken");
    },
  },
  {
    name: "follows a key that its own key hands over to, without a gap, and nothing of the key before counts then",
    async run(world, signer) {
      const [next, stranger] = [await makeSuiteSigner(), await makeSuiteSigner()];
      const link = await signer.handOverTo(next.publicKey);
      const stolen = await stranger.handOverTo(next.publicKey);
      const offer = async (document: Promise<string>) => world.offer(await document);
      await offer(signer.signed(documentOf(world, 2, 10_000)));
      assert(
        (await offer(next.signed(documentOf(world, 3, 0)))) === "refuse",
        "a key without a word from the one before",
      );
      const bySelf = [{ ...stolen, by: signer.publicKey }];
      assert((await offer(next.signed(documentOf(world, 3, 0), bySelf))) === "refuse", "the word of a stranger");
      await expectArm(world, "candidate", "before the change");
      assert((await offer(next.signed(documentOf(world, 2, 10_000), [link]))) === "adopt", "signed anew, same number");
      await expectArm(world, "candidate", "after the change");
      assert((await offer(signer.signed(documentOf(world, 3, 0)))) === "refuse", "the key before is retired");
      assert((await offer(next.signed(documentOf(world, 3, 0)))) === "adopt", "the next key counts");
      await expectArm(world, "stable", "by the next key");
    },
  },
  {
    name: "S1: writes its labels itself and hears no client's copy of them",
    async run(world) {
      const spoofed = ["x-exp", "X_Exp", "x-cache-namespace", "x-sluice-arm", "x-release"].map(
        (name) => [name, "candidate"] as const,
      );
      const { arm, toService, toClient } = await world.ask([...ANN, ...spoofed]);
      assert(arm === "stable", `a client chose ${arm}`);
      const told = valuesOf(toClient, /^x-sluice-(arm|doc|split)$/);
      assert(told === "x-sluice-arm=stable x-sluice-doc=1.1 x-sluice-split=0", `the client was told ${told}`);
      if (toService === null) return;
      const sent = valuesOf(toService, /^x.(exp|cache.namespace|sluice.*|release)$/);
      assert(sent === "x-cache-namespace=r1: x-exp=stable", `the service was told ${sent}`);
    },
  },
];

const valueOf = (json: object, key: string): unknown => Object.entries(json).find(([name]) => name === key)?.[1];

/** Fields whose name matches, sorted, as `name=value name=value`. */
function valuesOf(fields: readonly string[], names: RegExp): string {
  const found: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = (fields[at] as string).toLowerCase();
    if (names.test(name)) found.push(`${name}=${fields[at + 1]}`);
  }
  return found.sort().join(" ");
}

/**
 * Registers the suite with a test runner.
 * @param open makes a data plane that knows this public key of its controller and no other one
 */
export function planeConformance(
  open: (publicKey: string) => Promise<PlaneWorld>,
  it: (name: string, run: () => Promise<void>) => void,
): void {
  for (const one of planeSuite) {
    it(one.name, async () => {
      const signer = await makeSuiteSigner();
      await one.run(await open(signer.publicKey), signer);
    });
  }
}
