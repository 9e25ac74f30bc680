import { connect, createServer, type Server, type Socket } from "node:net";
import type { Fault } from "../../core/drill/fault.ts";
import type { Breakable } from "./leased-agent.ts";

/** A proxy between gateways and one region, which can be broken. */
export interface FaultProxy extends Breakable {
  listen(port: number): Promise<number>;
  close(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/**
 * Passes bytes on, both ways. `brownout` holds answers for a time and resets a share of new connections;
 * `blackhole` passes nothing in either direction, on connections that are open already too, and answers no new one.
 * `reroute`, for a proxy in the way out of a region, resets every connection, so that what is emitted does not leave.
 * Whatever was held when a blackhole ends is reset, because nobody can tell which bytes of it are missing.
 * @param draw a number from 0 to 1 for each connection
 */
export function faultProxy(target: { readonly host: string; readonly port: number }, draw: () => number): FaultProxy {
  const pairs = new Set<Pair>();
  let fault: Fault | null = null;
  const isDark = () => fault?.kind === "blackhole";
  const delayMs = () => (fault?.kind === "brownout" ? fault.delayMs : 0);
  const destroy = (pair: Pair) => {
    pairs.delete(pair);
    pair.near.destroy();
    pair.far.destroy();
  };
  const carry = (pair: Pair, from: Socket, to: Socket, isAnswer: boolean) => {
    from.on("data", (chunk) => {
      if (isDark()) return; // Dropped, as by a network that is gone.
      const holdMs = isAnswer ? delayMs() : 0;
      const write = () => {
        if (isDark() || to.destroyed) return;
        if (!to.write(chunk)) {
          from.pause();
          to.once("drain", () => from.resume());
        }
      };
      if (holdMs === 0) write();
      else setTimeout(write, holdMs);
    });
    from.on("end", () => (isDark() ? undefined : setTimeout(() => to.end(), isAnswer ? delayMs() : 0)));
    from.on("error", () => destroy(pair));
    from.on("close", () => (isDark() ? undefined : setTimeout(() => destroy(pair), delayMs())));
  };
  const server: Server = createServer({ allowHalfOpen: true }, (near) => {
    const isReset = fault?.kind === "reroute" || (fault?.kind === "brownout" && draw() < fault.errorShare);
    if (isReset) return void near.resetAndDestroy();
    const pair = { near, far: connect({ ...target, allowHalfOpen: true }) };
    pairs.add(pair);
    carry(pair, near, pair.far, false);
    carry(pair, pair.far, near, true);
  });
  return {
    kinds: ["brownout", "blackhole", "reroute"],
    set(next) {
      const wasDark = isDark();
      fault = next;
      if (next?.kind === "reroute") for (const pair of pairs) destroy(pair);
      if (wasDark && next === null) for (const pair of pairs) destroy(pair);
    },
    listen: (port) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, "127.0.0.1", () => {
          const address = server.address();
          resolve(typeof address === "object" && address !== null ? address.port : port);
        });
      }),
    close: () =>
      new Promise((resolve) => {
        for (const pair of pairs) destroy(pair);
        server.close(() => resolve());
      }),
  };
}
