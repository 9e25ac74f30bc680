import { describe, expect, it } from "vitest";
import { manualClock } from "../testing/manual-clock.ts";
import { Grant, type GrantOptions } from "./grant.ts";

/** A fake controller: says what `answer` is, or nothing at all. */
function world(over: Partial<GrantOptions> = {}) {
  const clock = manualClock();
  const asked: { readonly acting: boolean; readonly atMonoMs: number }[] = [];
  const controller = { answer: {} as object | null, delayMs: 0, token: "" };
  const fetchLike = async (_: unknown, init?: RequestInit): Promise<Response> => {
    const { acting } = JSON.parse(String(init?.body)) as { acting: boolean };
    controller.token = String(new Headers(init?.headers).get("authorization"));
    asked.push({ acting, atMonoMs: clock.monoMs() });
    await clock.sleep(controller.delayMs);
    if (controller.answer === null) throw new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
    return Response.json(controller.answer);
  };
  const grant = new Grant({
    controller: "http://127.0.0.1:1/",
    token: () => "secret",
    service: "desk",
    release: "r1",
    role: "producer",
    fetch: fetchLike as typeof fetch,
    clock,
    ...over,
  });
  const yes = { acts: true, token: 7, expires_in_ms: 5_000, ask_again_ms: 1_000, reason: null };
  const no = { acts: false, token: 8, expires_in_ms: 0, ask_again_ms: 1_000, reason: "r2 acts on effects of desk" };
  return { clock, asked, controller, grant, yes, no };
}

describe("a worker's grant", () => {
  it("acts while it is told so, with the token, and asks once a second", async () => {
    const { clock, asked, controller, grant, yes } = world();
    controller.answer = yes;
    expect(grant.leave()).toBeNull();
    await clock.advance(3_000);
    expect(grant.leave()).toMatchObject({ token: 7 });
    expect(await grant.act((token) => Promise.resolve(token * 2))).toEqual({ kind: "acted", value: 14 });
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(controller.token).toBe("Bearer secret");
  });

  it("acts no more once nobody answers, before its leave is over", async () => {
    const { clock, controller, grant, yes } = world();
    controller.answer = yes;
    await clock.advance(1_500);
    controller.answer = null;
    await clock.advance(4_300);
    expect(grant.leave()).toBeNull();
    expect(await grant.act(() => Promise.reject(new Error("not called")))).toMatchObject({ kind: "refused" });
    expect(grant.reason).toContain("ECONNREFUSED");
  });

  it("counts its leave from when it asked, however long the answer took", async () => {
    const { clock, controller, grant, yes } = world();
    controller.answer = yes;
    controller.delayMs = 2_900;
    await clock.advance(2_950);
    const leave = grant.leave();
    expect((leave?.untilMonoMs ?? 0) - clock.monoMs()).toBeLessThanOrEqual(2_100);
  });

  it("says at once that it does not act any more, but not while an effect runs", async () => {
    const { clock, asked, controller, grant, yes, no } = world();
    controller.answer = yes;
    await clock.advance(100);
    let finish = (): void => {};
    const effect = grant.act(() => new Promise<void>((resolve) => (finish = resolve)));
    controller.answer = no;
    await clock.advance(2_000);
    expect(grant.leave()).toBeNull();
    expect(asked.slice(1).every(({ acting }) => acting)).toBe(true);
    finish();
    expect(await effect).toEqual({ kind: "acted", value: undefined });
    await clock.advance(1_100);
    expect(asked.at(-1)?.acting).toBe(false);
  });

  it("lets others wait for leave, and takes leave of the controller when it stops", async () => {
    const { clock, asked, controller, grant, yes, no } = world();
    controller.answer = no;
    await clock.advance(100);
    const waited = grant.untilMayAct(new AbortController().signal);
    const given = new AbortController();
    const givenUp = grant.untilMayAct(given.signal);
    given.abort(new Error("enough"));
    await expect(givenUp).rejects.toThrow("enough");
    controller.answer = yes;
    await clock.advance(2_000);
    expect(await waited).toMatchObject({ token: 7 });
    const stopping = grant.stop();
    await clock.advance(2_000);
    await stopping;
    expect(asked.at(-1)?.acting).toBe(false);
    expect(grant.leave()).toBeNull();
  });
});
