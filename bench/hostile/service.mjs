// The service behind the gateway: reads every body to its end, answers 1 KB, or as much as anyone reads.
import { createServer } from "node:http";
import { BIG_PATH } from "./attacks.mjs";

const ANSWER = JSON.stringify({ answer: "x".repeat(1_000) });
const BIG_BYTES = 20_000_000;
const PIECE = Buffer.alloc(65_536, "a");

/** Resolves with the server when it listens. */
export function startService(port = 0) {
  const server = createServer((req, res) => {
    req.on("error", () => {});
    req.resume();
    req.on("end", () => {
      if (req.url === BIG_PATH) return sendBig(res);
      res.writeHead(200, { "content-type": "application/json", "content-length": ANSWER.length });
      res.end(ANSWER);
    });
  });
  server.keepAliveTimeout = 60_000;
  return new Promise((resolve) => {
    server.listen({ port, host: "127.0.0.1", backlog: 4_096 }, () => resolve(server));
  });
}

function sendBig(res) {
  res.writeHead(200, { "content-length": BIG_BYTES });
  let left = BIG_BYTES;
  const more = () => {
    while (left > 0) {
      const piece = left >= PIECE.length ? PIECE : PIECE.subarray(0, left);
      left -= piece.length;
      if (!res.write(piece)) return void (left > 0 && res.once("drain", more));
    }
    res.end();
  };
  more();
}
