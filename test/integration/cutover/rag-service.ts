import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Redis } from "ioredis";
import type pg from "pg";
import { aManifest } from "../../controller/world.ts";

/** What the tables of the tests are stamped with. */
const OF_INDEX = { METRIC: "cosine", ANALYZER: "standard", EMBED_SCHEMA: "e@1" } as const;

export interface RagService {
  readonly release: string;
  readonly url: string;
  /** Answers that were cached by another release than the one that read them. */
  readonly crossed: () => number;
  readonly asked: () => number;
  close(): void;
}

/**
 * A release that answers with the index behind the public name, and caches under the namespace that the gateway gives
 * it, noting who wrote what.
 */
export async function ragService(release: string, indexHash: string, redis: Redis, pool: pg.Pool): Promise<RagService> {
  let [crossed, asked] = [0, 0];
  const answer = async (namespace: string, question: string): Promise<string> => {
    const key = `${namespace}${question}`;
    const kept = await redis.get(key);
    if (kept !== null) {
      const entry = JSON.parse(kept) as { written_by: string; answer: string };
      if (entry.written_by !== release) crossed++;
      return entry.answer;
    }
    const { rows } = await pool.query<{ index_name: string }>(
      "select index_name from sluice_index_alias where alias = 'docs_live'",
    );
    const text = `${release} by ${rows[0]?.index_name}`;
    await redis.set(key, JSON.stringify({ written_by: release, question, answer: text }), "EX", 600);
    return text;
  };
  const server: Server = createServer((request, response) => {
    if (request.url?.startsWith("/healthz")) {
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({ ready: true, ...aManifest({ release_id: release, INDEX_HASH: indexHash, ...OF_INDEX }) }),
      );
      return;
    }
    asked++;
    const namespace = String(request.headers["x-cache-namespace"] ?? "none:");
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      const question = body === "" ? (request.url ?? "/") : (JSON.parse(body) as { question: string }).question;
      answer(namespace, question).then(
        (text) => response.end(JSON.stringify({ answer: text, retrieved: [], citations: [] })),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { release, url, crossed: () => crossed, asked: () => asked, close: () => server.close() };
}
