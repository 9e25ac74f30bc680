import { afterEach, describe, expect, it } from "vitest";
import { aSigner } from "../../test/a-signer.ts";
import { traffic, watch } from "../../test/builders.ts";
import { shortPlan, World } from "../../test/controller/world.ts";
import { memoryStore } from "../drivers/store/memory/index.ts";
import { NO_TERMS } from "../core/routing/document.ts";
import { kidOf } from "../core/routing/signature.ts";
import { KeyRing } from "../plane/key-ring.ts";

const SERVICE = "support-rag";
const plan = () => shortPlan({ leaseMs: 3_000, stages: [traffic(20, 600_000), watch()] });

let world: World;
afterEach(() => world.controller.stop());

async function atTwentyPercent() {
  const signer = await aSigner();
  const keys = new KeyRing({ trusted: [signer.current.publicKey], retired: [] });
  world = await new World(memoryStore(), keys).open((options) => ({ ...options, signer }));
  await world.run(2);
  await world.controller.apply(plan());
  // Signatures take real time, which the virtual clock does not know of.
  for (let quarter = 0; quarter < 100 && (await candidateAnswers(1)) < 10; quarter++) await pause();
  return { signer, keys };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));
const candidateAnswers = async (quarters: number): Promise<number> => {
  const before = world.gateway.served.candidate;
  await world.run(quarters);
  return world.gateway.served.candidate - before;
};

describe("a controller that signs", () => {
  it("carries a rollout past a data plane that believes its key alone: documents and leases", async () => {
    await atTwentyPercent();
    expect([world.phase, await candidateAnswers(4)]).toEqual(["progressing", 40]);
    expect(world.gateway.plane.counts.adopted).toBeGreaterThan(0);
  });

  it("changes its key in the middle of a stage: nobody moves, and the number of the document stays", async () => {
    const { signer, keys } = await atTwentyPercent();
    const before = world.hub.current(SERVICE);
    const { leaseExpired } = world.gateway.plane.counts;
    const old = kidOf(signer.current.publicKey);
    const key = await world.controller.keys.rotate(old);
    expect(await candidateAnswers(40)).toBe(400);
    expect([world.phase, world.gateway.plane.counts.leaseExpired]).toEqual(["progressing", leaseExpired]);
    expect(keys.known.trusted).toEqual([key?.publicKey]);
    const { epoch, seq, kid } = world.gateway.document;
    expect([epoch, seq, kid]).toEqual([before?.epoch, before?.seq, kidOf(key?.publicKey ?? "")]);
    expect((await world.gateway.plane.offer(JSON.stringify({ ...before, seq: 9 }))).kind).toBe("refuse");
    expect(world.hub.confirm(world.gateway.document, "forward").isConfirmed).toBe(true);
  });

  it("changes a key once, however often the order comes", async () => {
    const { signer } = await atTwentyPercent();
    const old = kidOf(signer.current.publicKey);
    const both = await Promise.all([world.controller.keys.rotate(old), world.controller.keys.rotate(old)]);
    expect(both.filter((key) => key !== null)).toHaveLength(1);
    expect(await world.controller.keys.rotate(old)).toBeNull();
    expect(signer.current.succession).toHaveLength(1);
  });

  it("signs after a restart what was stored unsigned, or in a version that knows no signature", async () => {
    const signer = await aSigner();
    const keys = new KeyRing({ trusted: [signer.current.publicKey], retired: [] });
    const store = memoryStore();
    world = await new World(store).open();
    await world.run(2);
    await world.controller.apply(plan());
    await world.run(8);
    await world.controller.stop();
    const [published] = await store.published();
    const { kid: _, signature: __, ...unsigned } = published?.document ?? world.gateway.document;
    const { store: s, region, lease, override, end, ...first } = unsigned;
    for (const document of [
      { ...unsigned, kid: null, signature: null },
      { ...first, version: 1 as const },
    ]) {
      const next = { document, orderId: published?.orderId ?? "" };
      await store.commit({ published: { expected: document, next } });
      world = await new World(store, keys).open((options) => ({ ...options, signer }));
      const current = world.hub.current(SERVICE);
      expect([current?.version, current?.kid]).toEqual([2, kidOf(signer.current.publicKey)]);
      await world.run(2);
      expect(world.gateway.epochSeq).toEqual({ epoch: document.epoch, seq: document.seq });
      await world.controller.stop();
    }
    expect([s, region, lease, override, end]).not.toEqual(Object.values(NO_TERMS).slice(0, 5));
  });
});
