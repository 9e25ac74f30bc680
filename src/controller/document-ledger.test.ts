import { describe, expect, it } from "vitest";
import { aPlan } from "../../test/builders.ts";
import { publish, type PublishOrder, type Split } from "../core/rollout/order.ts";
import { bp } from "../core/unit.ts";
import { memoryStore } from "../drivers/store/memory/index.ts";
import type { ControllerStore } from "../ports/controller-store.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { DocumentLedger } from "./document-ledger.ts";
import { ServicePointers } from "./service-pointers.ts";

const split = (index: number, candidateBp: number, over: Partial<Split> = {}): PublishOrder => ({
  ...publish({ candidateBp: bp(candidateBp), closed: [], arms: "both", newEpoch: false, ...over }),
  id: `support-rag-7/1/${index}`,
});
const back = (index: number) => split(index, 0, { closed: ["candidate"], newEpoch: true });
const live = new AbortController().signal;

/** A store whose commits wait until told, so that two of them can overlap. */
function slowStore(): { readonly store: ControllerStore; release(): void } {
  const inner = memoryStore();
  const waiting: (() => void)[] = [];
  const commit: ControllerStore["commit"] = async (change) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return inner.commit(change);
  };
  return { store: { ...inner, commit }, release: () => waiting.shift()?.() };
}

const heard = { store: "store-1", highestEpoch: () => 0 };
const aLedger = (store: ControllerStore) =>
  new DocumentLedger(store, manualClock(), new ServicePointers(store), heard, null);

const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

describe("the document ledger", () => {
  it("I8: numbers two overlapping orders one after another; the later one is in force", async () => {
    const { store, release } = slowStore();
    const ledger = aLedger(store);
    const first = ledger.publishOnce(aPlan(), split(0, 5_000), live);
    const second = ledger.publishOnce(aPlan(), back(1), live);
    await turns();
    release();
    await turns();
    release();
    expect(await first).toMatchObject({ epoch: 1, seq: 1, candidateBp: 5_000 });
    expect(await second).toMatchObject({ epoch: 2, seq: 1, candidateBp: 0, closed: ["candidate"] });
    expect((await store.published()).map(({ orderId }) => orderId)).toEqual(["support-rag-7/1/1"]);
  });

  it("I4: publishes nothing for an order that was given up while it waited", async () => {
    const { store, release } = slowStore();
    const ledger = aLedger(store);
    const cancel = new AbortController();
    const first = ledger.publishOnce(aPlan(), split(0, 1_000), live);
    const given = ledger.publishOnce(aPlan(), split(1, 5_000), cancel.signal).catch((error: Error) => error.name);
    cancel.abort();
    await turns();
    release();
    await first;
    expect(await given).toBe("AbortError");
    expect((await store.published())[0]?.document.candidateBp).toBe(1_000);
  });

  it("I4, S14: refuses an order older than the one in force: it was superseded by the way back", async () => {
    const ledger = aLedger(memoryStore());
    await ledger.publishOnce(aPlan(), split(0, 1_000), live);
    await ledger.publishOnce(aPlan(), back(2), live);
    const late = await ledger.publishOnce(aPlan(), split(1, 5_000), live).catch((error: unknown) => error);
    expect(late).toMatchObject({ code: "stale-token", retry: "never" });
  });

  it("finds the document of an order again, before and after a restart", async () => {
    const store = memoryStore();
    const ledger = aLedger(store);
    const once = await ledger.publishOnce(aPlan(), split(0, 1_000), live);
    expect(await ledger.publishOnce(aPlan(), split(0, 1_000), live)).toEqual(once);
    const restarted = aLedger(store);
    await restarted.load();
    expect(await restarted.publishOnce(aPlan(), split(0, 1_000), live)).toEqual(once);
  });

  it("goes on after a commit that failed", async () => {
    const inner = memoryStore();
    let failures = 1;
    const commit: ControllerStore["commit"] = (change) =>
      failures-- > 0 ? Promise.reject(new Error("disk full")) : inner.commit(change);
    const ledger = aLedger({ ...inner, commit });
    await expect(ledger.publishOnce(aPlan(), split(0, 1_000), live)).rejects.toThrow("disk full");
    expect(await ledger.publishOnce(aPlan(), split(0, 1_000), live)).toMatchObject({ epoch: 1, seq: 1 });
  });
});
