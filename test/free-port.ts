import { once } from "node:events";
import { createServer } from "node:net";

/** Below every range from which systems give a port to whoever asks for any: Linux from 32 768, others from 49 152. */
const [FIRST, COUNT] = [20_000, 12_000];
/** Test files run in processes of their own; neighbours by number begin 37 ports apart. */
let next = (process.pid * 37) % COUNT;

/**
 * A free loopback port for a server that is started later, or comes back at its address. One that the system chose
 * could be given to somebody else in between.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < COUNT; tries++) {
    const port = FIRST + (next++ % COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port of ${FIRST}..${FIRST + COUNT - 1} is free`);
}

/** On IPv6 as well where there is one: a test may want both. */
async function isFree(port: number): Promise<boolean> {
  for (const host of ["127.0.0.1", "::1"]) {
    const server = createServer();
    const isTaken = await once(server.listen(port, host), "listening").then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === "EADDRINUSE",
    );
    if (isTaken) return false;
    if (server.listening) await once(server.close(), "close");
  }
  return true;
}
