import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { openAiEmbedder, type OpenAiEmbedderConfig } from "../../src/probe/openai-embedder.ts";

interface Call {
  readonly input: readonly string[];
  readonly model: string;
  readonly dimensions: number;
  readonly authorization: string | undefined;
}
type Reply = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown } | null;

/** A fake of the embeddings endpoint: a vector says the length of its text. `reply` answers the n-th call instead. */
async function withFake<T>(
  reply: (n: number) => Reply,
  use: (config: OpenAiEmbedderConfig, calls: readonly Call[]) => Promise<T>,
): Promise<T> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(parts).toString("utf8")) as Call;
      const instead = reply(calls.length);
      calls.push({ ...body, authorization: request.headers.authorization });
      // Out of order on purpose: the index says which text a vector belongs to.
      const data = body.input.map((text, index) => ({ index, embedding: [text.length, 1] })).reverse();
      response.writeHead(instead?.status ?? 200, { "content-type": "application/json", ...instead?.headers });
      response.end(JSON.stringify(instead?.body ?? { data }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
    return await use({ baseUrl, model: "m", dims: 2, apiKey: "secret" }, calls);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A clock whose sleeps end at once and are written down. */
function noWait() {
  const slept: number[] = [];
  const clock = { ...manualClock(), sleep: (ms: number) => (slept.push(ms), Promise.resolve()) };
  return { clock, slept };
}
const signal = new AbortController().signal;

describe("openAiEmbedder", () => {
  it("sends batches of 64 with key, model and dimensions, and puts the vectors in the order of the texts", async () => {
    await withFake(
      () => null,
      async (config, calls) => {
        const texts = Array.from({ length: 150 }, (_, index) => "x".repeat(index + 1));
        const vectors = await openAiEmbedder(config, { fetch, clock: manualClock() }).embed(texts, signal);
        expect(vectors.map((vector) => vector[0])).toEqual(texts.map((text) => text.length));
        expect(calls.map(({ input }) => input.length).sort()).toEqual([22, 64, 64]);
        expect(calls[0]).toMatchObject({ model: "m", dimensions: 2, authorization: "Bearer secret" });
      },
    );
  });

  it("names provider, model, revision, dimensions and prefix in its id, and never the key", () => {
    const tools = { fetch, clock: manualClock() };
    const config = {
      baseUrl: "http://127.0.0.1:1/v1",
      model: "m",
      revision: "2",
      dims: 2,
      prefix: "query: ",
      apiKey: "secret",
    };
    const { id } = openAiEmbedder(config, tools);
    expect(id).toBe('openai/m@2:2d:prefix "query: "');
  });

  it("tries 429 and 5xx again, as late as Retry-After asks, at most 5 times", async () => {
    const { clock, slept } = noWait();
    const replies: Reply[] = [{ status: 429, headers: { "retry-after": "3" } }, { status: 503 }];
    await withFake(
      (n) => replies[n] ?? null,
      async (config, calls) => {
        const vectors = await openAiEmbedder(config, { fetch, clock }).embed(["abc"], signal);
        expect([vectors[0]?.[0], calls.length, slept]).toEqual([3, 3, [3_000, 500]]);
      },
    );
    await withFake(
      () => ({ status: 500 }),
      async (config, calls) => {
        const failing = openAiEmbedder(config, { fetch, clock }).embed(["abc"], signal);
        await expect(failing).rejects.toMatchObject({ code: "unreachable", retry: "safe" });
        expect(calls).toHaveLength(5);
      },
    );
  });

  it.each([
    ["a refused key", { status: 401 }, "unauthorized"],
    ["a bad request", { status: 400 }, "rejected"],
    ["other dimensions", { status: 200, body: { data: [{ index: 0, embedding: [1, 2, 3] }] } }, "rejected"],
    ["fewer vectors than texts", { status: 200, body: { data: [] } }, "rejected"],
    ["another shape", { status: 200, body: { vectors: [] } }, "rejected"],
  ])("gives up at once on %s, without the key in the message", async (_, reply, code) => {
    await withFake(
      () => reply,
      async (config, calls) => {
        const error = await openAiEmbedder(config, { fetch, clock: manualClock() })
          .embed(["abc"], signal)
          .catch((caught: unknown) => caught);
        expect(error).toMatchObject({ name: "DriverError", code, retry: "never" });
        expect(String(error)).not.toContain("secret");
        expect(calls).toHaveLength(1);
      },
    );
  });

  it("stops when the caller aborts", async () => {
    await withFake(
      () => null,
      async (config) => {
        const embedding = openAiEmbedder(config, { fetch, clock: manualClock() });
        await expect(embedding.embed(["abc"], AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
      },
    );
  });
});
