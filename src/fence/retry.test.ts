import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { manualClock } from "../testing/manual-clock.ts";
import {
  jitterMs,
  DEFAULT_RETRY,
  retry,
  type RetryOptions,
  type RetryOutcome,
  type RetryRoute,
  type Try,
  type TryAnswer,
} from "./retry.ts";

const half = { float: () => 0.5, bytes: (count: number) => new Uint8Array(count) };
const again: TryAnswer<string> = { kind: "again", reason: "503" };

/** Runs a retry under a manual clock until it ends; returns the outcome and the virtual time it took. */
async function run(work: (t: Try) => Promise<TryAnswer<string>>, options: RetryOptions = {}, clock = manualClock()) {
  let outcome: RetryOutcome<string> | null = null;
  void retry(work, { random: half, ...options, clock }).then((given) => (outcome = given));
  let tookMs = 0;
  for (; outcome === null && tookMs < 60_000; tookMs += 10) await clock.advance(10);
  return { outcome: outcome as RetryOutcome<string> | null, tookMs };
}

describe("ID-6: retry", () => {
  it("makes at most 3 tries and says why it gave up", async () => {
    let tries = 0;
    const { outcome } = await run(async () => (tries++, again));
    expect([tries, outcome]).toEqual([3, { kind: "gave-up", because: "tries", reason: "503", tries: 3 }]);
    await expect(retry(async () => again, { policy: { tries: 4 } })).rejects.toThrow("tries is 1..3");
  });

  it.each([
    [100, 1],
    [101, 2],
  ])(
    "does not wait to the end of its budget, whenever it began: %i ms for a wait of 100: %i tries",
    async (ms, tries) => {
      const clock = manualClock();
      await clock.advance(7_000);
      let made = 0;
      const policy = { budgetMs: ms, tries: 2 };
      const { outcome } = await run(async () => (made++, { ...again, waitMs: 100 }), { policy }, clock);
      expect([made, outcome?.kind]).toEqual([tries, "gave-up"]);
    },
  );

  it("waits half of 100 ms, then half of 200 ms, at jitter 0.5", async () => {
    const at: number[] = [];
    const clock = manualClock();
    await run(async () => (at.push(clock.monoMs()), again), {}, clock);
    expect(at).toEqual([0, 50, 150]);
  });

  it("keeps every wait within 0..min(cap, base x 2^n) for any random number", () => {
    const property = fc.property(
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      fc.integer({ min: 1, max: 10 }),
      (float, failed) => {
        const waitMs = jitterMs(DEFAULT_RETRY, failed, { ...half, float: () => float });
        return waitMs >= 0 && waitMs <= Math.min(DEFAULT_RETRY.capMs, DEFAULT_RETRY.baseMs * 2 ** (failed - 1));
      },
    );
    fc.assert(property, { numRuns: 2_000 });
  });

  it("stays under the request timeout: a hanging try is cut, and no wait reaches beyond the budget", async () => {
    const hung = await run(() => new Promise(() => {}), { policy: { budgetMs: 1_000 } });
    expect(hung).toMatchObject({ outcome: { because: "budget", tries: 1 }, tookMs: 1_000 });
    const asked = await run(async () => ({ ...again, waitMs: 5_000 }), { policy: { budgetMs: 1_000 } });
    expect(asked).toMatchObject({ outcome: { because: "budget", tries: 1 } });
    expect(asked.tookMs).toBeLessThan(1_000);
  });

  it("never tries the other arm without a pin, and does with one", async () => {
    for (const pinned of [false, true]) {
      const routes: RetryRoute[] = [
        { arm: "stable", pinned: false },
        { arm: "candidate", pinned },
        { arm: "candidate", pinned },
      ];
      const arms: (string | undefined)[] = [];
      const work = async ({ route }: Try) => (arms.push(route?.arm), again);
      const { outcome } = await run(work, { route: () => routes.shift() as RetryRoute });
      expect(arms).toEqual(pinned ? ["stable", "candidate", "candidate"] : ["stable"]);
      expect(outcome).toMatchObject({ because: pinned ? "tries" : "arm-changed" });
    }
  });

  it("returns the first final answer, and passes a throw on without another try", async () => {
    let tries = 0;
    const work = async (): Promise<TryAnswer<string>> => (++tries === 2 ? { kind: "final", value: "ok" } : again);
    expect((await run(work)).outcome).toEqual({ kind: "final", value: "ok", tries: 2 });
    let thrown = 0;
    const fail = () => retry(() => (thrown++, Promise.reject(new Error("ours"))), { clock: manualClock() });
    await expect(fail()).rejects.toThrow("ours");
    expect(thrown).toBe(1);
  });
});
