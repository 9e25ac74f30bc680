// Clients that mean harm, by kind. Each keeps up its number of connections: what is closed is opened again.
import { connect } from "node:net";

const REOPEN_MS = 200;
/** What a service of the benchmarks and tests answers with far more than any buffer holds. */
export const BIG_PATH = "/big";
const ASK = "GET /ask HTTP/1.1\r\nHost: x\r\n\r\n";
const ASKS_PER_WRITE = 1_000;

/** One connection asks all it has at once, and reads what comes. `size` is the number of requests. */
function pipeline(socket, { size }, state) {
  const block = ASK.repeat(ASKS_PER_WRITE);
  socket.on("data", () => {});
  const more = () => {
    while (state.asked < size) {
      state.asked += ASKS_PER_WRITE;
      if (!socket.write(block)) return;
    }
  };
  socket.on("drain", more);
  more();
}

/** A header section that grows by a byte a second and never ends. */
function slowloris(socket) {
  socket.on("data", () => {});
  socket.write("GET /ask HTTP/1.1\r\nHost: x\r\nX-Slow: ");
  return { everyMs: 1_000, step: () => socket.write("a") };
}

/** Asks for much and reads nothing. The empty lines mean nothing; by them it learns that it was cut. */
function neverReads(socket) {
  socket.pause();
  socket.write(`GET ${BIG_PATH} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return { everyMs: 2_000, step: () => socket.write("\r\n") };
}

/** A body that grows by a kilobyte every half second and never ends. */
function endlessBody(socket) {
  socket.on("data", () => {});
  socket.write("POST /ask HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const chunk = `400\r\n${"a".repeat(1_024)}\r\n`;
  return { everyMs: 500, step: () => !socket.writableNeedDrain && socket.write(chunk) };
}

/** The kinds with the address each comes from and how many connections it keeps at full size. */
export const ATTACKS = [
  { name: "pipelined requests", attack: pipeline, from: "127.0.0.2", connections: 1, size: 1_000_000 },
  { name: "slowloris", attack: slowloris, from: "127.0.0.3", connections: 2_000 },
  { name: "readers that never read", attack: neverReads, from: "127.0.0.4", connections: 2_000 },
  { name: "bodies that never end", attack: endlessBody, from: "127.0.0.5", connections: 2_000 },
];

/** Begins an attack on a port of this machine. */
export function begin({ attack, from, connections, size = 0 }, port) {
  const open = new Set();
  const state = { asked: 0, opened: 0 };
  let isOver = false;
  const start = () => {
    if (isOver) return;
    const socket = connect({ port, host: "127.0.0.1", localAddress: from });
    open.add(socket);
    let timer = null;
    socket.on("connect", () => {
      state.opened++;
      const drip = attack(socket, { size }, state);
      if (!drip) return;
      // Not all in the same millisecond.
      timer = setTimeout(() => {
        drip.step();
        timer = setInterval(drip.step, drip.everyMs);
      }, Math.random() * drip.everyMs);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer); // Or the interval: they share their numbers.
      open.delete(socket);
      setTimeout(start, REOPEN_MS).unref();
    });
  };
  for (let at = 0; at < connections; at++) start();
  return {
    stats: () => ({ open: open.size, opened: state.opened, asked: state.asked }),
    stop() {
      isOver = true;
      for (const socket of open) socket.destroy();
    },
  };
}
