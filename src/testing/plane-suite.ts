import type { ServingArm } from "../core/arm.ts";
import { assert } from "../core/assert.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import { bp, epochMs } from "../core/unit.ts";

/** What one simulated request met at a data plane. */
export interface PlaneAnswer {
  readonly arm: ServingArm;
  /** Name, value, … as the service got them; null where the data plane has no service behind it. */
  readonly toService: readonly string[] | null;
  /** Name, value, … as the client got them. */
  readonly toClient: readonly string[];
}

/** What a data plane brings to its conformance run; it began with `planeDocument(1, 0)`. */
export interface PlaneWorld {
  /** Gives it a document as JSON text; what it says to that. */
  offer(text: string): Promise<"adopt" | "keep" | "refuse">;
  /** One request with these header fields, in order. */
  ask(headers: readonly (readonly [name: string, value: string])[]): Promise<PlaneAnswer>;
}

export interface PlaneCase {
  readonly name: string;
  run(world: PlaneWorld): Promise<void>;
}

/** A document of the suite: all users on `candidateBp`, unit from `x-user-id`. */
export function planeDocument(epoch: number, candidateBp: number, over: object = {}): RoutingDocument {
  const target = (name: string) => ({ releaseId: name, endpoints: ["http://127.0.0.1:9"], cachePrefix: `${name}:` });
  return {
    version: 1,
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

const text = (document: object) => JSON.stringify(document);
const ANN = [["x-user-id", "ann"]] as const;

async function expectArm(world: PlaneWorld, arm: ServingArm, why: string): Promise<void> {
  const answer = await world.ask(ANN);
  assert(answer.arm === arm, `${why}: answered by ${answer.arm}, expected ${arm}`);
}

/** What every data plane must do, whatever carries its requests. */
export const planeSuite: readonly PlaneCase[] = [
  {
    name: "routes the next request by the document it took",
    async run(world) {
      await expectArm(world, "stable", "at 0");
      assert((await world.offer(text(planeDocument(2, 10_000)))) === "adopt", "a newer document is taken");
      await expectArm(world, "candidate", "at 10 000");
    },
  },
  {
    name: "I21: keeps its last good document when a bad, an oversized or a foreign one arrives",
    async run(world) {
      await world.offer(text(planeDocument(2, 10_000)));
      const bad = [
        "",
        "{}",
        text(planeDocument(3, 0, { candidateBp: 10_001 })),
        text(planeDocument(3, 0, { surprise: 1 })),
        text(planeDocument(3, 0, { service: "other" })),
        text(planeDocument(3, 0, { allow: ["x".repeat(300_000)] })),
      ];
      for (const one of bad) assert((await world.offer(one)) === "refuse", `took ${one.slice(0, 80)}`);
      await expectArm(world, "candidate", "after what it refused");
    },
  },
  {
    name: "I8: never goes back, and never takes other content under a number it has",
    async run(world) {
      await world.offer(text(planeDocument(5, 10_000)));
      assert((await world.offer(text(planeDocument(4, 0)))) === "keep", "an older document changes nothing");
      assert((await world.offer(text(planeDocument(5, 10_000)))) === "keep", "the same document changes nothing");
      assert((await world.offer(text(planeDocument(5, 0)))) === "refuse", "one number has one content");
      await expectArm(world, "candidate", "after all of them");
    },
  },
  {
    name: "sends nobody to a closed arm",
    async run(world) {
      await world.offer(text(planeDocument(2, 10_000)));
      await world.offer(text(planeDocument(3, 0, { closed: ["candidate"], allow: ["ann"] })));
      await expectArm(world, "stable", "closed");
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

/** Fields whose name matches, sorted, as `name=value name=value`. */
function valuesOf(fields: readonly string[], names: RegExp): string {
  const found: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = (fields[at] as string).toLowerCase();
    if (names.test(name)) found.push(`${name}=${fields[at + 1]}`);
  }
  return found.sort().join(" ");
}

/** Registers the suite with a test runner. */
export function planeConformance(
  open: () => Promise<PlaneWorld>,
  it: (name: string, run: () => Promise<void>) => void,
): void {
  for (const one of planeSuite) it(one.name, async () => one.run(await open()));
}
