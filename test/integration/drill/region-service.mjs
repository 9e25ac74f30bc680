// One region's service in a process of its own: it states what it is, and answers questions after a few milliseconds.
import { createServer } from "node:http";

const [region = "", hash = "h1"] = process.argv.slice(2);
let stated = hash;
let isReady = true;
const manifest = () => ({
  ready: true,
  release_id: "r1",
  INDEX_HASH: stated,
  METRIC: "cosine",
  ANALYZER: "standard",
  EMBED_SCHEMA: "e@1",
  RERANK_CONF: "rr@1",
  PROMPT_VER: "p@1",
  MODEL_VER: "m@1",
  SCHEMA_REV: { min: "sc-1", max: "sc-1" },
  secrets_rev: "s-1",
  BUILD_TS: "2026-01-01T00:00:00Z",
});

const server = createServer((request, response) => {
  const json = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const url = new URL(request.url ?? "/", "http://region");
  if (url.pathname === "/healthz/ready") return isReady ? json(200, manifest()) : json(503, { ready: false });
  if (url.pathname === "/set") {
    stated = url.searchParams.get("hash") ?? stated;
    isReady = url.searchParams.get("ready") !== "false";
    return json(200, manifest());
  }
  if (url.pathname === "/rebuild") {
    stated = hash;
    return json(202, {});
  }
  request.resume();
  request.on("end", () => {
    setTimeout(() => json(200, { answer: region, refused: false, retrieved: [], citations: [] }), 5);
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
