import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeOnSignals, serveLab } from "../../src/lab/serve.ts";
import { labServer } from "../../src/lab/service.ts";
import { HARBOUR_GOLD, HARBOUR_QUESTIONS, harbourCorpus, UNANSWERABLE } from "./harbour-corpus.ts";
import { ask, parseEvents, post, type WireAnswer, withLab } from "./lab-client.ts";

const QUESTION = HARBOUR_QUESTIONS[0]!;
let corpus: Awaited<ReturnType<typeof harbourCorpus>>;
beforeAll(async () => {
  corpus = await harbourCorpus();
});
afterAll(() => corpus.remove());
const plain = () => ({ corpus: corpus.path, index: "harbour" });

describe("laboratory answers", () => {
  it("finds, cites and quotes the right section of each question of its own corpus", async () => {
    await withLab(plain(), async ({ url, sections, chunks }) => {
      expect([sections, chunks]).toEqual([20, 20]);
      for (const { question, section } of HARBOUR_GOLD) {
        const answer = await ask(url, question);
        expect(answer.retrieved[0]?.section, question).toBe(section);
        expect(answer.citations[0]?.section, question).toBe(section);
        const cited = answer.citations.every((citation) =>
          answer.retrieved.some((hit) => hit.section === citation.section),
        );
        expect(cited).toBe(true);
        expect(answer.refused).toBe(false);
      }
    });
  });

  it("returns k chunks, best first, whose offsets point at their text", async () => {
    const lines = (await readFile(corpus.path, "utf8")).trim().split("\n");
    const texts = new Map(
      lines.map((line) => JSON.parse(line) as { section: string; text: string }).map((s) => [s.section, s.text]),
    );
    await withLab({ ...plain(), chunkWords: 12 }, async ({ url }) => {
      const { retrieved } = await ask(url, QUESTION, 7);
      expect(retrieved).toHaveLength(7);
      for (const { section, start, end, text } of retrieved)
        expect([...texts.get(section)!].slice(start, end).join("")).toBe(text);
      const scores = retrieved.map(({ score }) => score);
      expect(scores).toEqual(scores.toSorted((left, right) => right - left));
    });
  });

  it("refuses, without citations, what the corpus does not answer", async () => {
    await withLab(plain(), async ({ url }) => {
      expect(await ask(url, UNANSWERABLE)).toMatchObject({ refused: true, citations: [] });
      expect(await ask(url, "?!")).toMatchObject({ refused: true, citations: [] });
    });
  });

  it("waits the model time and reports it", async () => {
    await withLab({ ...plain(), modelMs: 40 }, async ({ url }) => {
      const startedAt = performance.now();
      const { timings_ms: timings } = await ask(url, QUESTION);
      expect(timings.reason).toBeGreaterThan(5);
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(timings.reason - 2);
    });
  });

  it("marks its first 20 answers as cold and names its release in every one", async () => {
    await withLab(plain(), async ({ url, health }) => {
      const { release_id: releaseId } = (await (await fetch(health)).json()) as { release_id: string };
      const cold: (string | null)[] = [];
      for (let i = 0; i < 22; i++) {
        const response = await post(url, { question: QUESTION, k: 1 });
        await response.arrayBuffer();
        expect(response.headers.get("x-release-id")).toBe(releaseId);
        cold.push(response.headers.get("x-cold-start"));
      }
      expect(cold).toEqual([...Array(20).fill("1"), null, null]);
    });
  });

  it("CW-3: answers a warm ping like any request and flags it", async () => {
    await withLab(plain(), async ({ url }) => {
      const warm = await post(url, { question: QUESTION, k: 3 }, { headers: { "x-warm": "true" } });
      expect(warm.headers.get("x-warm")).toBe("true");
      expect(((await warm.json()) as WireAnswer).retrieved).toHaveLength(3);
      const other = await post(url, { question: QUESTION, k: 3 });
      expect(other.headers.get("x-warm")).toBeNull();
    });
  });
});

describe("laboratory stream", () => {
  it("sends retrieved, then tokens that make up the answer, then done with the whole answer", async () => {
    await withLab({ ...plain(), modelMs: 5 }, async ({ url }) => {
      const response = await post(url, { question: QUESTION, k: 4 }, { headers: { accept: "text/event-stream" } });
      expect(response.headers.get("content-type")).toBe("text/event-stream");
      const events = parseEvents(await response.text());
      const tokens = events.filter(({ event }) => event === "token").map(({ data }) => JSON.parse(data) as string);
      expect(events.map(({ event }) => event)).toEqual(["retrieved", ...tokens.map(() => "token"), "done"]);
      expect(tokens.length).toBeGreaterThan(1);
      const done = JSON.parse(events.at(-1)!.data) as WireAnswer;
      expect(tokens.join("")).toBe(done.answer);
      expect(JSON.parse(events[0]!.data)).toEqual(done.retrieved);
      const { timings_ms: _timed, ...whole } = await ask(url, QUESTION, 4);
      expect(done).toMatchObject(whole);
    });
  });

  it("streams a refusal too", async () => {
    await withLab(plain(), async ({ url }) => {
      const response = await post(url, { question: UNANSWERABLE }, { headers: { accept: "text/event-stream" } });
      const events = parseEvents(await response.text());
      expect(JSON.parse(events.at(-1)!.data)).toMatchObject({ refused: true, citations: [] });
    });
  });
});

describe("laboratory refusals over HTTP", () => {
  it("answers problem+json with a reason for each bad request", async () => {
    await withLab(plain(), async ({ url }) => {
      const bad: readonly (readonly [unknown, RegExp])[] = [
        ["not json", /not JSON/],
        ["[]", /not a JSON object/],
        ["null", /not a JSON object/],
        [{ k: 3 }, /"question" must be/],
        [{ question: "  " }, /"question" must be/],
        [{ question: QUESTION, k: 0 }, /"k" must be an integer 1\.\.50, found 0/],
        [{ question: QUESTION, k: 51 }, /"k" must be/],
        [{ question: QUESTION, k: 2.5 }, /"k" must be/],
        [{ question: QUESTION, k: "3" }, /"k" must be/],
        [{ question: QUESTION, seed: "x" }, /"seed" must be/],
        [{ question: QUESTION, probe: 1 }, /"probe" must be/],
      ];
      for (const [body, reason] of bad) {
        const response = await post(url, body);
        expect(response.status).toBe(400);
        expect(response.headers.get("content-type")).toBe("application/problem+json");
        expect(await response.json()).toMatchObject({
          status: 400,
          code: "bad-request",
          detail: expect.stringMatching(reason),
        });
      }
    });
  });

  it("takes 64 KiB and refuses more with 413, announced or not", async () => {
    await withLab(plain(), async ({ url }) => {
      const body = (bytes: number) => JSON.stringify({ question: QUESTION }).padEnd(bytes, " ");
      expect((await post(url, body(65_536))).status).toBe(200);
      expect((await post(url, body(65_537))).status).toBe(413);
      const chunked = new ReadableStream({
        pull(controller) {
          controller.enqueue(new TextEncoder().encode(" ".repeat(8_192)));
        },
      });
      const endless = await fetch(url, { method: "POST", body: chunked, duplex: "half" } as RequestInit);
      expect(endless.status).toBe(413);
      expect((await post(url, { question: QUESTION })).status).toBe(200);
    });
  });

  it("answers 404 for another path and 405 with Allow for another method", async () => {
    await withLab(plain(), async ({ url, health }) => {
      expect((await fetch(new URL("/nothing", url))).status).toBe(404);
      const wrong = await fetch(url);
      expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
      expect((await post(health, {})).headers.get("allow")).toBe("GET, HEAD");
    });
  });

  it("goes on after a client that sends garbage or leaves in the middle of its body", async () => {
    await withLab(plain(), async ({ url }) => {
      const port = Number(new URL(url).port);
      for (const bytes of ["GARBAGE\r\n\r\n", "POST /answer HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{"]) {
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => undefined);
        await once(socket, "connect");
        socket.write(bytes);
        await new Promise((resolve) => setTimeout(resolve, 20));
        socket.destroy();
      }
      expect((await ask(url, QUESTION)).refused).toBe(false);
    });
  });
});

describe("laboratory health", () => {
  it("is ready with every field of the manifest filled", async () => {
    await withLab(plain(), async ({ health, indexHash }) => {
      const response = await fetch(health);
      expect(response.status).toBe(200);
      const manifest = (await response.json()) as Record<string, unknown>;
      expect(manifest).toMatchObject({
        ready: true,
        INDEX_HASH: indexHash,
        METRIC: "cosine",
        ANALYZER: "lexical-en/1",
        SCHEMA_REV: { min: "sc-1", max: "sc-1" },
      });
      for (const field of [
        "release_id",
        "EMBED_SCHEMA",
        "RERANK_CONF",
        "PROMPT_VER",
        "MODEL_VER",
        "secrets_rev",
        "BUILD_TS",
      ]) {
        expect(manifest[field], field).toMatch(/.+/);
      }
      expect((await fetch(health, { method: "HEAD" })).status).toBe(200);
    });
  });

  it("answers 503 on health and on questions while it is loading", async () => {
    const server = labServer({ engine: () => null, draw: () => expect.fail("nothing to draw for") }).listen(
      0,
      "127.0.0.1",
    );
    await once(server, "listening");
    const origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    const health = await fetch(`${origin}/healthz/ready`);
    expect([health.status, await health.json()]).toEqual([503, { ready: false }]);
    const answer = await post(`${origin}/answer`, { question: QUESTION });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await answer.json()).toMatchObject({ code: "not-ready" });
    server.close();
  });

  it("gives two releases of one index different release ids and the same INDEX_HASH", async () => {
    const manifestOf = (release: string) =>
      withLab(
        { ...plain(), release },
        async ({ health }) => (await (await fetch(health)).json()) as Record<string, string>,
      );
    const [stable, candidate, again] = [await manifestOf("1"), await manifestOf("2"), await manifestOf("1")];
    expect(candidate["release_id"]).not.toBe(stable["release_id"]);
    expect(candidate["INDEX_HASH"]).toBe(stable["INDEX_HASH"]);
    expect(again["release_id"]).toBe(stable["release_id"]);
  });
});

describe("laboratory life", () => {
  it("keeps an index in its data folder and rebuilds it when the inputs changed", async () => {
    const data = join(corpus.folder, "data");
    const stamp = (options: object) =>
      withLab(
        { ...plain(), data, ...options },
        async ({ health }) => (await (await fetch(health)).json()) as Record<string, string>,
      );
    const first = await stamp({});
    const second = await stamp({});
    expect(second["BUILD_TS"]).toBe(first["BUILD_TS"]);
    const other = await stamp({ chunkWords: 10 });
    expect(other["INDEX_HASH"]).not.toBe(first["INDEX_HASH"]);
    expect(await readdir(data)).toEqual(["harbour.index"]);
  });

  it("refuses to start on a damaged index file, and leaves nothing listening", async () => {
    const data = join(corpus.folder, "damaged");
    await withLab({ ...plain(), data }, async () => undefined);
    const path = join(data, "harbour.index");
    await writeFile(path, (await readFile(path)).subarray(0, 5_000));
    await expect(serveLab({ ...plain(), data })).rejects.toMatchObject({ name: "LabError", code: "index" });
  });

  it("refuses unusable options with the reason", async () => {
    const refused: readonly (readonly [object, RegExp])[] = [
      [{ index: "../up" }, /index name/],
      [{ index: "" }, /index name/],
      [{ port: 70_000 }, /port is 70000/],
      [{ chunkWords: 0 }, /chunk is 0/],
      [{ modelMs: -1 }, /model-ms is -1/],
      [{ seed: 1.5 }, /seed is 1.5/],
      [{ faults: ["no-such-fault-at-all"] }, /expected one of: healthy/],
      [{ corpus: join(corpus.folder, "absent") }, /no corpus at/],
    ];
    for (const [options, reason] of refused) await expect(serveLab({ ...plain(), ...options })).rejects.toThrow(reason);
  });

  it("says so when its port is taken", async () => {
    await withLab(plain(), async ({ url }) => {
      const port = Number(new URL(url).port);
      await expect(serveLab({ ...plain(), port })).rejects.toThrow(/cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\)/);
    });
  });

  it("finishes running answers and streams when it closes, and accepts nothing new", async () => {
    const lab = await serveLab({ ...plain(), modelMs: 800, seed: 7 });
    const running = [
      ask(lab.url, QUESTION),
      post(lab.url, { question: QUESTION }, { headers: { accept: "text/event-stream" } }).then((r) => r.text()),
    ];
    await new Promise((resolve) => setTimeout(resolve, 250)); // Both have arrived and wait for the model.
    const closing = Promise.all([lab.close(), lab.close()]);
    const [answer, stream] = (await Promise.all(running)) as [WireAnswer, string];
    expect(answer.refused).toBe(false);
    expect(parseEvents(stream).at(-1)?.event).toBe("done");
    await closing;
    await expect(ask(lab.url, QUESTION)).rejects.toThrow();
  });

  it("stops waiting for a client that went away, so that closing does not wait for its model time", async () => {
    const lab = await serveLab({ ...plain(), modelMs: 60_000, seed: 7 });
    for (const accept of ["application/json", "text/event-stream"]) {
      const leaving = new AbortController();
      const gone = post(lab.url, { question: QUESTION }, { signal: leaving.signal, headers: { accept } }).then((r) =>
        r.text(),
      );
      await new Promise((resolve) => setTimeout(resolve, 40));
      leaving.abort();
      await expect(gone).rejects.toThrow();
    }
    const outcome = await Promise.race([
      lab.close().then(() => "closed"),
      new Promise((resolve) => setTimeout(() => resolve("still open"), 5_000)),
    ]);
    expect(outcome).toBe("closed");
  });

  it("closes and then exits with 0 at SIGTERM and 130 at SIGINT", async () => {
    for (const [signal, code] of [
      ["SIGTERM", 0],
      ["SIGINT", 130],
    ] as const) {
      const listeners = new Map<string, () => void>();
      const steps: (string | number)[] = [];
      const exited = new Promise<void>((resolve) => {
        const exit = (status: number): void => {
          steps.push(status);
          resolve();
        };
        const close = async (): Promise<void> => {
          steps.push("closed");
        };
        closeOnSignals({ close }, { once: (name, listener) => listeners.set(name, listener), exit });
      });
      listeners.get(signal)!();
      await exited;
      expect(steps).toEqual(["closed", code]);
    }
  });
});
