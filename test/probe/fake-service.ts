import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { words } from "../../src/core/measure/tokenizer.ts";
import type { CorpusSection } from "../../src/probe/corpus.ts";

/** A request as the fake service received it. */
export interface SeenRequest {
  readonly body: {
    readonly question: string;
    readonly k: number;
    readonly seed: number | null;
    readonly probe: boolean;
  };
  readonly headers: IncomingMessage["headers"];
  readonly arm: string;
}

export interface FakeOptions {
  readonly corpus: readonly CorpusSection[];
  readonly name?: string;
  /** Words in a chunk; sections are cut at word boundaries. */
  readonly chunkWords?: number;
  /** Name under which a section is served; itself by default. */
  readonly rename?: (section: string) => string;
  readonly withOffsets?: boolean;
  readonly delayMs?: number;
  /** Replaces the answer of the n-th request (0-based): a status, a raw body, or a cut connection. */
  readonly instead?: (
    n: number,
    question: string,
  ) => { readonly status?: number; readonly raw?: string } | "cut" | "hang" | null;
  readonly log?: SeenRequest[];
}

export interface FakeService {
  readonly url: string;
  readonly requests: () => number;
  readonly mostAtOnce: () => number;
  close(): Promise<void>;
}

interface Chunk {
  readonly doc: string;
  readonly section: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly words: ReadonlySet<string>;
}

function chunksOf({ corpus, chunkWords = 80, rename = (section) => section }: FakeOptions): readonly Chunk[] {
  return corpus.flatMap(({ doc, section, text }) => {
    const places = [...text.matchAll(/\S+/g)];
    const count = Math.ceil(places.length / chunkWords);
    return Array.from({ length: count }, (_, i): Chunk => {
      const mine = places.slice(i * chunkWords, (i + 1) * chunkWords);
      const [first, last] = [mine[0], mine.at(-1)];
      const from = first?.index ?? 0;
      const to = (last?.index ?? 0) + (last?.[0].length ?? 0);
      const [start, end] = [Array.from(text.slice(0, from)).length, Array.from(text.slice(0, to)).length];
      const piece = text.slice(from, to);
      return { doc, section: rename(section), start, end, text: piece, words: new Set(words(piece)) };
    });
  });
}

/** A fake RAG service: it ranks chunks by rare common words and refuses when nothing fits. */
export async function fakeService(options: FakeOptions): Promise<FakeService> {
  const chunks = chunksOf(options);
  const holding = new Map<string, number>();
  for (const chunk of chunks) for (const word of chunk.words) holding.set(word, (holding.get(word) ?? 0) + 1);
  const weight = (word: string) => Math.log((chunks.length + 1) / (holding.get(word) ?? chunks.length));
  let [count, active, most] = [0, 0, 0];
  const answer = (question: string, k: number) => {
    const asked = [...new Set(words(question))];
    const ranked = chunks
      .map((chunk) => ({
        chunk,
        score: asked.reduce((sum, word) => sum + (chunk.words.has(word) ? weight(word) : 0), 0),
      }))
      .sort((a, b) => b.score - a.score)
      .slice(0, k);
    const offsets = ({ start, end }: Chunk) =>
      (options.withOffsets ?? true) ? { start, end } : { start: null, end: null };
    const retrieved = ranked.map(({ chunk, score }) => {
      return { doc: chunk.doc, section: chunk.section, ...offsets(chunk), text: chunk.text, score };
    });
    const citations = retrieved.slice(0, 1).map(({ doc, section }) => ({ doc, section }));
    const refused = (ranked[0]?.score ?? 0) < 3;
    return { answer: "an answer", refused, retrieved, citations, timings_ms: { retrieve: 1, rerank: 0, reason: 1 } };
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const n = count++;
    most = Math.max(most, ++active);
    try {
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const body = JSON.parse(Buffer.concat(parts).toString("utf8")) as SeenRequest["body"];
      options.log?.push({ body, headers: request.headers, arm: options.name ?? "" });
      if (options.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.delayMs));
      const instead = options.instead?.(n, body.question) ?? null;
      if (instead === "hang") return;
      const text = JSON.stringify(answer(body.question, body.k));
      if (instead === "cut") {
        response.writeHead(200, { "content-length": text.length });
        response.write(text.slice(0, 20), () => response.destroy());
        return;
      }
      response.writeHead(instead?.status ?? 200, { "content-type": "application/json" });
      response.end(instead?.raw ?? text);
    } finally {
      active--;
    }
  };
  const server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`,
    requests: () => count,
    mostAtOnce: () => most,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
