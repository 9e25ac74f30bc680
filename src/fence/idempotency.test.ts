import { describe, expect, it, vi } from "vitest";
import type { FenceRecord } from "../core/fence/record.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { FenceStore } from "../ports/fence-store.ts";
import { manualClock } from "../testing/manual-clock.ts";
import {
  type FenceContext,
  type FencedHandler,
  type FenceEvent,
  type IdempotencyOptions,
  idempotency,
  notExecuted,
} from "./idempotency.ts";
import { memoryFence } from "./memory-store.ts";

/** One world: a store, a clock, and what happened. */
function aWorld(more: Partial<IdempotencyOptions> = {}) {
  const [clock, records, events] = [manualClock(), new Map<string, FenceRecord>(), [] as FenceEvent[]];
  const store = more.store ?? memoryFence(clock, records);
  const scope = (request: Request) => ({
    tenant: request.headers.get("x-tenant") ?? "acme",
    principal: "ana",
    route: "/charges",
  });
  const options = { scope, clock, observe: (event: FenceEvent) => events.push(event), ...more, store };
  return { clock, records, events, store, fence: idempotency(options) };
}

function post(
  key: string | null,
  body = "{}",
  headers: Record<string, string> = {},
  path = "/charges?b=2&a=1",
): Request {
  const all = { "content-type": "application/json", ...(key === null ? {} : { "idempotency-key": key }), ...headers };
  return new Request(`https://api.example${path}`, { method: "POST", headers: all, body });
}

function counting(answer: () => Response | Promise<Response>) {
  let runs = 0;
  const handler: FencedHandler = () => {
    runs++;
    return answer();
  };
  return { handler, runs: () => runs };
}

const problemOf = async (response: Response) =>
  ((await response.json()) as { type: string }).type.replace("urn:sluice:problem:", "");

/** The record of the first request with key "k", as soon as it is claimed: digests run outside the manual clock. */
function lockedRecord(store: FenceStore): Promise<FenceRecord> {
  return vi.waitFor(async () => {
    const record = await store.read('["acme","ana","POST","/charges"]', "k");
    expect(record?.state).toBe("locked");
    return record as FenceRecord;
  }, 30_000);
}

describe("a copy of a request", () => {
  it.each([{}, { required: false }])("runs nothing and takes no key, whatever the fence asks for: %j", async (more) => {
    const { fence, records } = aWorld(more);
    const work = counting(() => new Response("paid"));
    const copied = { "x-sluice-shadow": "1" };
    for (const key of [null, "k1"]) {
      const answer = await fence.handle(post(key, "{}", copied), work.handler);
      expect([answer.status, (await answer.json()).type]).toEqual([403, "urn:sluice:problem:copy-denied"]);
    }
    expect([work.runs(), records.size]).toEqual([0, 0]);
    const allowed = await fence.handle(post("k1", "{}", { ...copied, "x-sluice-effects": "allow" }), work.handler);
    expect([allowed.status, work.runs()]).toEqual([200, 1]);
  });
});

describe("idempotency", () => {
  it("runs the first request and replays status, body and headers, with Idempotent-Replayed and the first request's id", async () => {
    const { fence, events } = aWorld();
    const { handler, runs } = counting(
      () => new Response('{"id":1}', { status: 201, headers: { "x-charge": "1", "set-cookie": "s=1" } }),
    );
    const first = await fence.handle(post("k", "{}", { "x-request-id": "req-1" }), handler);
    expect([first.status, await first.text(), first.headers.get("idempotent-replayed")]).toEqual([
      201,
      '{"id":1}',
      null,
    ]);
    const again = await fence.handle(post('"k"'), handler);
    expect([again.status, await again.text(), again.headers.get("x-charge")]).toEqual([201, '{"id":1}', "1"]);
    expect([again.headers.get("idempotent-replayed"), again.headers.get("original-request-id")]).toEqual([
      "true",
      "req-1",
    ]);
    expect([again.headers.get("set-cookie"), runs()]).toEqual([null, 1]);
    expect(events.map((event) => event.kind)).toEqual(["executed", "replayed"]);
  });

  it("replays bytes that are no text, and an answer without a body", async () => {
    const { fence } = aWorld();
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    await fence.handle(post("bytes"), () => new Response(bytes));
    const again = await fence.handle(post("bytes"), () => new Response("other"));
    expect(new Uint8Array(await again.arrayBuffer())).toEqual(bytes);
    await fence.handle(post("none"), () => new Response(null, { status: 204 }));
    expect((await fence.handle(post("none"), () => new Response("other"))).status).toBe(204);
  });

  it("gives the handler the body it read for the fingerprint", async () => {
    const { fence } = aWorld();
    const answer = await fence.handle(post("k", '{"a":1}'), async (request) => new Response(await request.text()));
    expect(await answer.text()).toBe('{"a":1}');
  });

  it.each([
    ["missing", null, "idempotency-key-missing"],
    ["an empty string", '""', "idempotency-key-invalid"],
    ["256 characters", "x".repeat(256), "idempotency-key-invalid"],
    ["a space", "a b", "idempotency-key-invalid"],
    ["a broken quote", '"a', "idempotency-key-invalid"],
    ["parameters", '"a";x=1', "idempotency-key-invalid"],
  ])("answers 400 with a link when the key is %s", async (_, key, problem) => {
    const { fence } = aWorld();
    const { handler, runs } = counting(() => new Response("ran"));
    const answer = await fence.handle(post(key), handler);
    expect([answer.status, answer.headers.get("content-type"), runs()]).toEqual([400, "application/problem+json", 0]);
    expect(answer.headers.get("link")).toContain("idempotency-key-header");
    expect(await problemOf(answer)).toBe(problem);
  });

  it("answers 422 when body, content type, path or query value differ, and the same answer when only the query's order does", async () => {
    const { fence } = aWorld();
    const { handler, runs } = counting(() => new Response("ran"));
    await fence.handle(post("k"), handler);
    const others = [
      post("k", "{ }"),
      post("k", "{}", { "content-type": "text/plain" }),
      post("k", "{}", {}, "/charges?b=3&a=1"),
      post("k", "{}", {}, "/x?b=2&a=1"),
    ];
    for (const other of others) {
      const answer = await fence.handle(other, handler);
      expect([answer.status, await problemOf(answer)]).toEqual([422, "fingerprint-mismatch"]);
    }
    expect(
      (await fence.handle(post("k", "{}", {}, "/charges?a=1&b=2"), handler)).headers.get("idempotent-replayed"),
    ).toBe("true");
    expect(runs()).toBe(1);
  });

  it("S15: the same key of two tenants runs for both", async () => {
    const { fence } = aWorld();
    const { handler, runs } = counting(() => new Response("ran"));
    for (const tenant of ["acme", "globex"]) await fence.handle(post("k", "{}", { "x-tenant": tenant }), handler);
    expect(runs()).toBe(2);
  });

  it("answers 64 requests at once with one run: one 200 and 63 times 409 in-flight with Retry-After", async () => {
    const { fence } = aWorld();
    let finish = () => {};
    const gate = new Promise<void>((resolve) => (finish = resolve));
    const { handler, runs } = counting(async () => {
      await gate;
      return new Response("ran");
    });
    // Digests are made on several threads: any of the 64 may be the first to claim the key.
    const early: Response[] = [];
    const answers = Array.from({ length: 64 }, async () => {
      const answer = await fence.handle(post("k"), handler);
      early.push(answer);
      return answer;
    });
    await vi.waitFor(() => expect(early).toHaveLength(63), 30_000);
    const inFlight = (answer: Response) => answer.status === 409 && Number(answer.headers.get("retry-after")) >= 1;
    expect([early.every(inFlight), runs()]).toEqual([true, 1]);
    finish();
    const statuses = (await Promise.all(answers)).map((answer) => answer.status);
    expect([statuses.filter((status) => status === 200).length, runs()]).toEqual([1, 1]);
  });

  it("S23: answers 503 and runs nothing when the store is unreachable", async () => {
    const gone = async () => {
      throw new DriverError("unreachable", "safe", "connection refused");
    };
    const store = { ...memoryFence(), claim: gone } as FenceStore;
    const { fence, events } = aWorld({ store });
    const { handler, runs } = counting(() => new Response("ran"));
    const answer = await fence.handle(post("k"), handler);
    expect([answer.status, await problemOf(answer), runs()]).toEqual([503, "fence-unavailable", 0]);
    expect([answer.headers.get("retry-after"), events[0]?.kind]).toEqual(["1", "fence-unavailable"]);
  });

  it("gives a key back when the store's answer came after the time limit, so that nothing stays locked", async () => {
    const { clock, records, store: inner } = aWorld();
    let answerClaim = () => {};
    const slow = {
      ...inner,
      claim: (request: Parameters<FenceStore["claim"]>[0]) =>
        new Promise<void>((go) => (answerClaim = go)).then(() => inner.claim(request)),
    };
    const { fence } = aWorld({ store: slow, clock, storeTimeoutMs: 100 });
    const answering = fence.handle(post("k"), () => new Response("ran"));
    let answer: Response | null = null;
    void answering.then((response) => (answer = response));
    await vi.waitFor(async () => {
      await clock.advance(100); // Until the claim is on its way: digests run outside the manual clock.
      expect(answer).not.toBe(null);
    }, 30_000);
    expect((await answering).status).toBe(503);
    answerClaim();
    await clock.advance(0);
    expect(records.size).toBe(0);
  });
});

describe("idempotency after a failure", () => {
  it("says outcome-unknown, with the status URL, when an attempt without an effect key died, and does not run again", async () => {
    const { fence, clock, store } = aWorld({ statusUrl: (key) => `/status/${key}` });
    const { handler, runs } = counting(() => new Response("ran"));
    const died = fence.handle(post("k"), () => new Promise<Response>(() => {}));
    void died;
    const held = await lockedRecord(store);
    await store.renew(held, 0, null); // As when its process is gone and the lease ran out.
    await clock.advance(1);
    for (const _ of [1, 2]) {
      const answer = await fence.handle(post("k"), handler);
      expect([answer.status, answer.headers.get("idempotent-replayed")]).toEqual([409, null]);
      expect(await answer.json()).toMatchObject({
        type: "urn:sluice:problem:outcome-unknown",
        status_url: "/status/k",
        started: false,
      });
    }
    expect(runs()).toBe(0);
  });

  it("resumes after a 5xx or a throw under the same effect key, then stores and replays the final answer", async () => {
    const { fence, events } = aWorld({ effectKey: () => "effect-1" });
    const answers = [
      () => new Response("down", { status: 503 }),
      () => Promise.reject(new Error("crash")),
      () => new Response("done"),
    ];
    const seen: (FenceContext | null)[] = [];
    const handler: FencedHandler = (_, context) => {
      seen.push(context);
      return (answers.shift() as () => Response)();
    };
    expect((await fence.handle(post("k"), handler)).status).toBe(503);
    await expect(fence.handle(post("k"), handler)).rejects.toThrow("crash");
    expect(await (await fence.handle(post("k"), handler)).text()).toBe("done");
    expect((await fence.handle(post("k"), handler)).headers.get("idempotent-replayed")).toBe("true");
    expect(seen.map((context) => [context?.effectKey, context?.held.resumed])).toEqual([
      ["effect-1", false],
      ["effect-1", true],
      ["effect-1", true],
    ]);
    const tokens = seen.map((context) => context?.held.token ?? 0);
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    expect(events.map((event) => event.kind)).toEqual(["failed", "failed", "executed", "replayed"]);
  });

  it("says outcome-unknown after a 5xx without an effect key", async () => {
    const { fence } = aWorld();
    await fence.handle(post("k"), () => new Response("down", { status: 500 }));
    expect(await problemOf(await fence.handle(post("k"), () => new Response("ran")))).toBe("outcome-unknown");
  });

  it("stores a 4xx of the handler, but not one from before, from admit, or marked as not executed", async () => {
    let verdicts: ("before" | "admit" | "late" | "run")[] = ["before", "admit", "late", "run", "run"];
    const refusal = (status: number) => new Response("no", { status });
    const { fence, records } = aWorld({
      before: () => (verdicts[0] === "before" ? refusal(401) : null),
      admit: () => (verdicts[0] === "admit" ? refusal(429) : null),
    });
    const handler: FencedHandler = () => (verdicts[0] === "late" ? notExecuted(refusal(400)) : refusal(402));
    const found: [number, number][] = [];
    for (; verdicts.length > 0; verdicts = verdicts.slice(1)) {
      const answer = await fence.handle(post("k"), handler);
      found.push([answer.status, records.size]);
    }
    expect(found).toEqual([
      [401, 0],
      [429, 0],
      [400, 0],
      [402, 1],
      [402, 1],
    ]);
  });

  it("gives the key back when admit throws: nothing ran, so the same request runs later", async () => {
    let isBroken = true;
    const admit = () => {
      if (isBroken) throw new Error("the rate limiter is down");
      return null;
    };
    const { fence, events } = aWorld({ admit });
    const { handler, runs } = counting(() => new Response("ran"));
    await expect(fence.handle(post("k"), handler)).rejects.toThrow("the rate limiter is down");
    isBroken = false;
    expect(await (await fence.handle(post("k"), handler)).text()).toBe("ran");
    expect([runs(), events.map(({ kind }) => kind)]).toEqual([1, ["not-executed", "executed"]]);
  });

  it("asks admit only for requests that run: ten replays use no budget", async () => {
    let budget = 0;
    const { fence } = aWorld({
      admit: () => {
        budget++;
        return null;
      },
    });
    for (let round = 0; round < 11; round++) await fence.handle(post("k"), () => new Response("ran"));
    expect(budget).toBe(1);
  });

  it("I22: discards the answer of an attempt that was taken over, and replays the heir's", async () => {
    const { fence, store, clock, events } = aWorld({ effectKey: () => "e" });
    let finish: (response: Response) => void = () => {};
    const paused = fence.handle(post("k"), () => new Promise<Response>((resolve) => (finish = resolve)));
    const begun = finish;
    const locked = await lockedRecord(store);
    await vi.waitFor(() => expect(finish).not.toBe(begun), 30_000);
    await store.renew(locked, 0, null); // Paused: its lease runs out unseen.
    await clock.advance(1);
    expect(await (await fence.handle(post("k"), () => new Response("heir"))).text()).toBe("heir");
    finish(new Response("zombie"));
    const late = await paused;
    expect([late.status, await problemOf(late)]).toEqual([409, "superseded"]);
    expect(await (await fence.handle(post("k"), () => new Response("third"))).text()).toBe("heir");
    expect(events.map((event) => event.kind)).toEqual(["executed", "superseded", "replayed"]);
  });

  it("answers 503 outcome-unrecorded when the store vanished between claim and complete", async () => {
    const complete = async () => {
      throw new DriverError("unreachable", "safe", "gone");
    };
    const { fence } = aWorld({ store: { ...memoryFence(), complete } as FenceStore });
    const answer = await fence.handle(post("k"), () => new Response("ran"));
    expect([answer.status, await problemOf(answer)]).toEqual([503, "outcome-unrecorded"]);
  });

  it("passes methods that need no key, and keyless requests where none is required, with a null context", async () => {
    const { fence } = aWorld({ required: false });
    const context = async (request: Request) => {
      let seen: FenceContext | null | undefined;
      await fence.handle(request, (_, given) => {
        seen = given;
        return new Response("ran");
      });
      return seen === null ? "none" : typeof seen;
    };
    expect(await context(new Request("https://api.example/charges"))).toBe("none");
    expect(await context(post(null))).toBe("none");
    expect(await context(post("k"))).toBe("object");
  });

  it("refuses a request body over the limit with 413 before anything is claimed", async () => {
    const { fence, records } = aWorld({ requestBytesMax: 10 });
    const answer = await fence.handle(post("k", "x".repeat(11)), () => new Response("ran"));
    expect([answer.status, records.size]).toEqual([413, 0]);
    expect((await fence.handle(post("k", "x".repeat(10)), () => new Response("ran"))).status).toBe(200);
  });
});

describe("idempotency of streams", () => {
  function stream(chunks: readonly string[], type = "text/event-stream"): Response {
    const waiting = [...chunks];
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const next = waiting.shift();
        if (next === "break") controller.error(new Error("upstream broke"));
        else if (next === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(next));
      },
    });
    return new Response(body, { headers: { "content-type": type } });
  }

  it("passes a stream on, says in-flight while it runs, and afterwards 409 stream-completed with its size and digest", async () => {
    const { fence } = aWorld();
    const first = await fence.handle(post("k"), () => stream(["data: 1\n\n", "data: 2\n\n"]));
    expect(await problemOf(await fence.handle(post("k"), () => stream([])))).toBe("in-flight");
    expect(await first.text()).toBe("data: 1\n\ndata: 2\n\n");
    const again = await fence.handle(post("k"), () => stream([]));
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([409, "true"]);
    const problem = (await again.json()) as { digest: string };
    expect(problem).toMatchObject({
      type: "urn:sluice:problem:stream-completed",
      bytes: 18,
      complete: true,
      original_status: 200,
    });
    expect(problem.digest).toMatch(/^sha256-64k:[0-9a-f]{64}$/);
  });

  it("digests a stream the same however it was cut", async () => {
    const text = "x".repeat(200_000);
    const digests: string[] = [];
    for (const [key, size] of [
      ["a", 200_000],
      ["b", 7_777],
      ["c", 65_536],
    ] as const) {
      const { fence } = aWorld();
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
        text.slice(index * size, (index + 1) * size),
      );
      await (await fence.handle(post(key), () => stream(chunks))).text();
      digests.push(((await (await fence.handle(post(key), () => stream([]))).json()) as { digest: string }).digest);
    }
    expect(new Set(digests).size).toBe(1);
  });

  it("treats an answer above the limit as a stream", async () => {
    const { fence } = aWorld({ responseBytesMax: 10 });
    expect(await (await fence.handle(post("k"), () => stream(["01234", "56789", "0"], "text/plain"))).text()).toBe(
      "01234567890",
    );
    expect(await problemOf(await fence.handle(post("k"), () => new Response("")))).toBe("stream-completed");
    await fence.handle(post("fits"), () => stream(["01234", "56789"], "text/plain"));
    expect(await (await fence.handle(post("fits"), () => new Response(""))).text()).toBe("0123456789");
  });

  it("says outcome-unknown and started for a stream that broke, and keeps what a client left behind", async () => {
    const { fence } = aWorld();
    const broken = await fence.handle(post("broken"), () => stream(["data: 1\n\n", "break"]));
    await expect(broken.text()).rejects.toThrow();
    expect(await (await fence.handle(post("broken"), () => stream([]))).json()).toMatchObject({
      type: "urn:sluice:problem:outcome-unknown",
      started: true,
    });
    const left = await fence.handle(post("left"), () => stream(Array.from({ length: 50 }, () => "data: 1\n\n")));
    const reader = (left.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.cancel();
    expect(await (await fence.handle(post("left"), () => stream([]))).json()).toMatchObject({
      type: "urn:sluice:problem:stream-completed",
      complete: false,
    });
  });

  it("keeps only size and digest of an answer that the store would refuse", async () => {
    const { fence } = aWorld({ store: { ...memoryFence(), resultBytesMax: 1_000 }, responseBytesMax: 10_000 });
    expect(await (await fence.handle(post("k"), () => new Response('"'.repeat(900)))).text()).toBe('"'.repeat(900));
    expect(await problemOf(await fence.handle(post("k"), () => new Response("")))).toBe("stream-completed");
  });
});
