import { describe, expect, it } from "vitest";
import { askTarget, type ProbeTarget } from "../../src/probe/target.ts";
import { type FakeOptions, fakeService, type SeenRequest } from "./fake-service.ts";
import { systemClock, target } from "./world.ts";

const corpus = [{ doc: "d", section: "s", text: "A berth for one night costs nine crowns." }];
const question = { question: "What does a berth cost for one night?", k: 3, seed: 1 };

async function ask(
  options: Partial<FakeOptions>,
  over: Partial<ProbeTarget> = {},
  timeoutMs = 2_000,
  signal?: AbortSignal,
) {
  const service = await fakeService({ corpus, ...options });
  try {
    const settings = { fetch, clock: systemClock, timeoutMs, signal: signal ?? new AbortController().signal };
    return await askTarget(target(service.url, over), question, settings);
  } finally {
    await service.close();
  }
}

describe("askTarget", () => {
  it("returns the answer of the default contract, without scores and timings", async () => {
    const result = await ask({});
    expect(result).toMatchObject({ kind: "answer", answer: { citations: [{ doc: "d", section: "s" }] } });
    expect(result.kind === "answer" && result.answer.retrieved).toEqual([
      { doc: "d", section: "s", rev: null, start: 0, end: 40, text: corpus[0]?.text },
    ]);
  });

  it.each([
    ["503", { status: 503 }, "headers|5xx|503"],
    ["404", { status: 404 }, "headers|other|404"],
    ["a redirect, which is not followed", { status: 302 }, "headers|other|302"],
    ["a body that is not JSON", { raw: "<html>" }, "body|other|not-json"],
    ["a body over 4 MiB", { raw: `"${"x".repeat(5_000_000)}"` }, "body|other|too-large"],
    ["an empty body", { raw: "" }, "body|other|not-json"],
  ])("counts %s as an error of its class", async (_, instead, errorClass) => {
    expect(await ask({ instead: () => instead })).toMatchObject({ kind: "error", errorClass });
  });

  it("counts JSON that breaks the contract as a schema violation, not as an error", async () => {
    const result = await ask({
      instead: () => ({ raw: '{"answer":"x","refused":false,"retrieved":[],"citations":["s"]}' }),
    });
    expect(result).toMatchObject({ kind: "schema-violation" });
    expect(result.kind === "schema-violation" && result.detail).toBe(
      "field `citations[]` is a string, expected an object",
    );
  });

  it("tells a cut body, a late answer and a closed port apart", async () => {
    const cut = await ask({ instead: () => "cut" });
    expect(cut.kind === "error" && cut.errorClass).toMatch(/^body\|network\|/);
    expect(await ask({ instead: () => "hang" }, {}, 60)).toEqual({
      kind: "error",
      errorClass: "headers|timeout|deadline",
      excerpt: null,
    });
    const closed = await fakeService({ corpus });
    await closed.close();
    const settings = { fetch, clock: systemClock, timeoutMs: 2_000, signal: new AbortController().signal };
    expect(await askTarget(target(closed.url), question, settings)).toEqual({
      kind: "error",
      errorClass: "connect|network|ECONNREFUSED",
      excerpt: null,
    });
  });

  it("rejects with the caller's reason when the caller aborts: such a run never took place", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("no longer wanted")), 20);
    await expect(ask({ instead: () => "hang" }, {}, 2_000, stop.signal)).rejects.toThrow("no longer wanted");
  });

  it("keeps what came instead of an answer, at most 200 bytes of it and without the credentials it repeats", async () => {
    const access = { fetch, headerNames: [], redact: (text: string) => text.replaceAll("canary-1", "***") };
    const raw = `no key canary-1 is known ${"x".repeat(300)}`;
    const refused = await ask({ instead: () => ({ status: 401, raw }) }, { access });
    expect(refused).toMatchObject({ kind: "error", errorClass: "headers|other|401" });
    const excerpt = refused.kind === "error" ? (refused.excerpt ?? "") : "";
    expect([excerpt.slice(0, 19), excerpt.length]).toEqual(["no key *** is known", 201]);
    const broken = await ask({ instead: () => ({ raw: '{"canary-1":1}' }) }, { access });
    expect(broken).toMatchObject({ detail: "field `answer` is missing", excerpt: '{"***":1}' });
  });

  it("sends credentials beside its own headers", async () => {
    const log: SeenRequest[] = [];
    const access = {
      fetch: (url: string, init: RequestInit) =>
        fetch(url, { ...init, headers: { ...init.headers, authorization: "Bearer t" } }),
      headerNames: ["authorization"],
      redact: (text: string) => text.replaceAll("Bearer t", "***"),
    };
    await ask({ log }, { access });
    expect(log[0]?.headers).toMatchObject({ authorization: "Bearer t", "x-bypass-cache": "1" });
    expect(log[0]?.body).toEqual({ ...question, probe: true });
  });
});
