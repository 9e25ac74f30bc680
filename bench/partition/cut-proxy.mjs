import { createServer, request } from "node:http";

/**
 * An HTTP proxy on a loopback port that can be cut like a cable: while it is cut, connections break and new ones are
 * refused without a word. It names the controller as the host, which answers nobody else.
 */
export async function cutProxy(firstTarget) {
  let target = firstTarget;
  const sockets = new Set();
  let isCut = false;
  const server = createServer((req, res) => {
    const out = request(target + req.url, {
      method: req.method,
      headers: { ...req.headers, host: new URL(target).host },
    });
    out.on("response", (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
      answer.on("error", () => res.destroy());
    });
    out.on("error", () => res.destroy());
    res.on("close", () => out.destroy());
    req.pipe(out);
  });
  server.on("connection", (socket) => {
    if (isCut) return socket.destroy();
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    /** From now on every connection ends at another controller. */
    aim(nextTarget) {
      target = nextTarget;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
