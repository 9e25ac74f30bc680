// What a gateway of a benchmark pushes its telemetry to.
import { createServer } from "node:http";

/** Takes windows and says nothing new. */
export function startController() {
  let windows = 0;
  const server = createServer((req, res) => {
    if (req.method !== "POST") return void res.writeHead(404).end();
    let text = "";
    req.on("data", (chunk) => (text += chunk));
    req.on("end", () => {
      const batch = JSON.parse(text).windows;
      windows += batch.length;
      res.end(JSON.stringify({ acked: batch.at(-1).seq }));
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const url = `http://127.0.0.1:${server.address().port}`;
      const close = () => {
        server.close();
        server.closeAllConnections();
      };
      resolve({ url, windows: () => windows, close });
    });
  });
}
