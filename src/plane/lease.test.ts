import { describe, expect, it } from "vitest";
import { aSigner, type TestSigner } from "../../test/a-signer.ts";
import { aDocument } from "../../test/documents.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import { NO_TERMS } from "../core/routing/document.ts";
import { type LeaseGrant, leaseText, type PlaneReport } from "../core/routing/lease.ts";
import { type RouteTable, route } from "../core/routing/route.ts";
import { kidOf } from "../core/routing/signature.ts";
import { bp } from "../core/unit.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { digestOf } from "./digest.ts";
import { KeyRing } from "./key-ring.ts";
import { Plane } from "./plane.ts";
import { sharedSecretProof } from "./proof.ts";

const LEASE_MS = 15_000;
const proof = sharedSecretProof("the secret of this directory");

const provisional = (over: Partial<RoutingDocument> = {}): RoutingDocument =>
  aDocument({
    ...NO_TERMS,
    version: 2,
    epoch: 2,
    store: "store-1",
    lease: { ms: LEASE_MS },
    override: "r1/1",
    candidateBp: bp(10_000),
    ...over,
  });

function world(document = provisional(), keys = new KeyRing("unsigned")) {
  const clock = manualClock();
  const plane = new Plane<RouteTable>({ document, clock, planeId: "p1", proof, keys, prepare: (table) => table });
  const meets = () => {
    const { arm, reason } = route(plane.planAt(clock.monoMs()), "user-1", null, null);
    return `${arm} ${reason}`;
  };
  let asked = 0;
  const ask = () => plane.report(`nonce-number-${asked++}`, false);
  return { clock, plane, meets, ask };
}

/** What the controller that owns the store answers to a report. */
async function grantTo(
  { id, nonce, digest }: PlaneReport,
  document: RoutingDocument,
  over: Partial<LeaseGrant> = {},
  key = proof,
): Promise<LeaseGrant> {
  const { epoch, seq } = document;
  const said = { store: "store-1", owner: 4, epoch, seq, digest, ms: LEASE_MS, ...over };
  return { ...said, proof: await key.prove(leaseText(id, nonce, said)) };
}

async function renew({ plane, ask }: ReturnType<typeof world>, over: Partial<LeaseGrant> = {}, key = proof) {
  const { report, ask: asked } = ask();
  return plane.hear(asked, await grantTo(report, plane.document, over, key));
}

describe("the lease on a provisional arm", () => {
  it("is not there before the first answer, and one answer brings the share", async () => {
    const here = world();
    expect(here.meets()).toBe("stable lease-expired");
    expect(await renew(here)).toBeNull();
    expect(here.meets()).toBe("candidate sticky");
  });

  it("counts from the moment the request was sent, and is over by itself at each decision", async () => {
    const here = world();
    const { report, ask } = here.ask();
    await here.clock.advance(5_000);
    expect(await here.plane.hear(ask, await grantTo(report, here.plane.document))).toBeNull();
    await here.clock.advance(LEASE_MS - 5_001);
    expect(here.meets()).toBe("candidate sticky");
    await here.clock.advance(1);
    expect(here.meets()).toBe("stable lease-expired");
    expect(here.plane.counts.leaseExpired).toBe(1);
  });

  it("a pin, the allow-list and a schema lock give nobody to the candidate without it", async () => {
    const serves = (min: string, max: string) => ({ schemaRev: { min, max }, indexHash: null, modelTag: null });
    const { stable, candidate } = aDocument().arms;
    const arms = {
      stable: { ...stable, serves: serves("sc-1", "sc-1") },
      candidate: { ...candidate!, serves: serves("sc-2", "sc-2") },
    };
    const here = world(provisional({ arms, allow: ["user-1"] }));
    const table = here.plane.planAt(0);
    expect(route(table, "user-1", { arm: "candidate", purpose: "user" }, "candidate").arm).toBe("stable");
    expect(route(table, "user-1", null, null, { schemaRev: "sc-2" }).arm).toBeNull();
  });

  it("a machine that slept has none: the wall clock went on while the monotonic one stood", async () => {
    const here = world();
    await renew(here);
    await here.clock.advance(4_000);
    here.clock.jumpWall(LEASE_MS - 4_001); // It slept for less than a lease, and may not have the time twice.
    expect([here.meets(), here.plane.leaseLeftMs]).toEqual(["candidate sticky", 1]);
    here.clock.jumpWall(1);
    expect([here.meets(), here.plane.leaseLeftMs]).toEqual(["stable lease-expired", 0]);
    await renew(here);
    expect(here.meets()).toBe("candidate sticky");
    here.clock.jumpWall(-10 * 365 * 86_400_000);
    expect(here.meets()).toBe("candidate sticky");
  });

  it.each([
    ["another key", {}, sharedSecretProof("somebody else"), "its proof"],
    ["a lease longer than may be", { ms: 600_001 }, proof, "a lease of 600001 ms"],
    ["a lease of no length", { ms: 0 }, proof, "a lease of 0 ms"],
    ["another document", { seq: 99 }, proof, "another document"],
    ["other content under the same number", { digest: "0".repeat(64) }, proof, "another document"],
    ["another store", { store: "store-2" }, proof, "another document"],
  ])("is not renewed by an answer with %s", async (_, over, key, why) => {
    const here = world();
    expect(await renew(here, over, key)).toContain(why);
    expect(here.meets()).toBe("stable lease-expired");
  });

  it.each([null, 7, {}, { ms: "15000" }, { ms: LEASE_MS, proof: 7 }])(
    "is not renewed, and nothing breaks, by an answer that is no grant: %j",
    async (answer) => {
      const here = world();
      const { ask } = here.ask();
      expect(await here.plane.hear(ask, answer as unknown as LeaseGrant)).toMatch(/./);
      expect(here.meets()).toBe("stable lease-expired");
    },
  );

  it("is not renewed by an answer to another request, nor by the same answer again", async () => {
    const here = world();
    const [first, second] = [here.ask(), here.ask()];
    const answer = await grantTo(first.report, here.plane.document);
    expect(await here.plane.hear(second.ask, answer)).toContain("its proof");
    expect(await here.plane.hear(first.ask, answer)).toBeNull();
    await here.clock.advance(LEASE_MS);
    await here.plane.hear(first.ask, answer);
    expect(here.meets()).toBe("stable lease-expired");
  });

  it("is not renewed by a deposed controller once its follower was heard", async () => {
    const here = world();
    expect(await renew(here, { owner: 5 })).toBeNull();
    await here.clock.advance(LEASE_MS);
    expect(await renew(here, { owner: 4 })).toContain("owner 4 of the store was followed by 5");
    expect(here.meets()).toBe("stable lease-expired");
  });

  it("is renewed by a signature alone where keys are known: the credential is no proof, nor is another's key", async () => {
    const [signer, stranger] = [await aSigner(), await aSigner()];
    const here = world(provisional(), new KeyRing({ trusted: [signer.current.publicKey], retired: [] }));
    const renewBy = async ({ current }: TestSigner, name = current.publicKey, nonce?: string) => {
      const { report, ask } = here.ask();
      const grant = await grantTo(report, here.plane.document);
      const text = leaseText(report.id, nonce ?? report.nonce, grant);
      return here.plane.hear(ask, { ...grant, kid: kidOf(name), signature: await current.sign(text) });
    };
    const foreign = "its proof is not our controller's";
    expect(await renew(here)).toBe(foreign);
    expect(await renewBy(stranger)).toBe(foreign);
    expect(await renewBy(stranger, signer.current.publicKey)).toBe(foreign);
    expect(await renewBy(signer, signer.current.publicKey, "the nonce of another request")).toBe(foreign);
    expect(here.meets()).toBe("stable lease-expired");
    expect(await renewBy(signer)).toBeNull();
    expect(here.meets()).toBe("candidate sticky");
  });

  it("goes on over a step of the ladder, and does not reach into another rollout", async () => {
    const here = world(provisional({ candidateBp: bp(5_000) }));
    await renew(here);
    here.plane.adopt(provisional({ seq: 2 }));
    expect(here.meets()).toBe("candidate sticky");
    here.plane.adopt(provisional({ epoch: 3, rolloutId: "r2", override: "r2/1" }));
    expect(here.meets()).toBe("stable lease-expired");
  });

  it("is asked for by no document without a provisional arm", () => {
    const both = aDocument({ candidateBp: bp(10_000) });
    expect(world(both).meets()).toBe("candidate sticky");
    expect(world(provisional({ lease: null })).meets()).toBe("candidate sticky");
    const arms = { stable: both.arms.stable, candidate: null };
    expect(world(provisional({ arms, candidateBp: bp(0) })).meets()).toBe("stable no-candidate");
  });

  it("never comes down with a document: what a stream brings renews nothing", async () => {
    const here = world(provisional({ candidateBp: bp(5_000) }));
    await renew(here);
    await here.clock.advance(LEASE_MS);
    for (let seq = 2; seq < 6; seq++) here.plane.adopt(provisional({ seq, candidateBp: bp(10_000) }));
    expect(here.meets()).toBe("stable lease-expired");
  });
});

describe("a person's override at a data plane", () => {
  it("serves stable alone, is reported, outlives a step, and ends with what a person orders or by following again", async () => {
    const here = world();
    await renew(here);
    here.plane.overrideWith("stable");
    expect([here.meets(), here.ask().report.override]).toEqual(["stable override", "stable"]);
    here.plane.adopt(provisional({ seq: 2 }));
    expect(here.meets()).toBe("stable override");
    here.plane.adopt(provisional({ seq: 3, override: "r1/2" }));
    await renew(here);
    expect([here.meets(), here.ask().report.override]).toEqual(["candidate sticky", null]);
    here.plane.overrideWith("stable");
    const early = here.ask();
    await here.clock.advance(1);
    here.plane.overrideWith(null);
    // A way back may have counted as confirmed here meanwhile: the controller has to be heard of again.
    expect(here.meets()).toBe("stable lease-expired");
    await here.plane.hear(early.ask, await grantTo(early.report, here.plane.document));
    expect(here.meets()).toBe("stable lease-expired");
    await renew(here);
    expect(here.meets()).toBe("candidate sticky");
  });
});

describe("a report", () => {
  it("says why a document was not taken, and nothing more once one is", () => {
    const here = world(provisional({ epoch: 40 }));
    here.plane.adopt(provisional({ epoch: 1 }));
    expect(here.ask().report.refused).toEqual({
      epoch: 1,
      seq: 0,
      reason: "document 1.0 is older than 40.0, which is in force",
    });
    here.plane.adopt(provisional({ epoch: 41 }));
    expect(here.ask().report).toMatchObject({ refused: null, digest: digestOf(here.plane.document) });
  });
});
