import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Ten facts a fake support desk knows; each is a section of its own. */
export const FACTS: readonly (readonly [topic: string, question: string, text: string])[] = [
  ["orders", "How long may a parcel be returned?", "A parcel may be returned for thirty days after it was delivered."],
  ["orders", "Who pays the freight of a return?", "The shop pays the freight of a return when the goods were damaged."],
  [
    "orders",
    "Can an order be split into two shipments?",
    "An order is split into two shipments when an article is out of stock.",
  ],
  ["orders", "When is an invoice sent?", "The invoice is sent by mail on the evening of the dispatch."],
  ["orders", "Which carriers deliver to islands?", "Islands are served by ferry carriers twice a week."],
  [
    "account",
    "How is a forgotten password replaced?",
    "A forgotten password is replaced through a link that is valid one hour.",
  ],
  ["account", "Can two people share one account?", "Two people may share one account when both are named as buyers."],
  ["account", "How is an account closed for good?", "An account is closed for good by writing to the registrar."],
  [
    "account",
    "Where are saved addresses changed?",
    "Saved addresses are changed under the heading Places of your profile.",
  ],
  [
    "account",
    "What does the loyalty badge mean?",
    "The loyalty badge means that five seasons of purchases were completed.",
  ],
];

const words = (text: string) => new Set(text.toLowerCase().match(/[a-z]+/g) ?? []);

function ranked(query: string) {
  const asked = words(query);
  const scored = FACTS.map(([topic, , text], index) => {
    const shared = [...words(text)].filter((word) => asked.has(word)).length;
    return { score: shared, origin: topic, part: `fact-${index + 1}`, excerpt: text };
  });
  return scored.sort((a, b) => b.score - a.score);
}

/**
 * A fake service of another shape than the default contract: other path, other names, no offsets, no health endpoint,
 * no seeds. Its retrieval is word overlap, which is enough for questions that share words with their facts.
 */
export async function otherShapeService(): Promise<{
  readonly url: string;
  close(): Promise<void>;
  readonly asked: () => number;
}> {
  let asked = 0;
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      asked++;
      const { query = "", top = 5 } = JSON.parse(Buffer.concat(chunks).toString() || "{}") as {
        query?: string;
        top?: number;
      };
      const sources = ranked(query).slice(0, top);
      const [best] = sources;
      const result = {
        reply: best?.excerpt ?? "",
        sources,
        used: best === undefined ? [] : [{ origin: best.origin, part: best.part }],
      };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ result }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}/v2/chat`, close, asked: () => asked };
}
