import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseIpAddress } from "../../../core/address/ip-address.ts";
import { pinConnection } from "./connect.ts";

let server: Server;
let port = 0;
let receivedBytes = 0;
const accepted: Socket[] = [];

beforeEach(async () => {
  receivedBytes = 0;
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on("error", () => undefined).on("data", (chunk) => (receivedBytes += chunk.length));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  for (const socket of accepted.splice(0)) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

function pinTo(addresses: readonly string[], signal = new AbortController().signal) {
  const parsed = addresses.map(parseIpAddress).filter((address) => address !== null);
  return pinConnection({
    addresses: parsed,
    serverName: "hooks.example.com",
    secureContext: createSecureContext(),
    signal,
  });
}

/** Connects to a name that no resolver knows. */
function open(connection: ReturnType<typeof pinTo>, protocol = "http:"): Promise<string> {
  const target = { hostname: "hooks.example.com", protocol, port: String(port) };
  return new Promise((resolve) => {
    connection.connect(target, (...[error]) => resolve(error === null ? "open" : error.message));
  });
}

describe("a pinned connection", () => {
  it("goes to the pinned address, whatever the name", async () => {
    const connection = pinTo(["127.0.0.1"]);
    expect(await open(connection)).toBe("open");
    expect([connection.isOpen(), connection.strayPeer()]).toEqual([true, null]);
    connection.close();
  });

  it.each(["http:", "https:"])(
    "S5: is cut before the first byte when another peer answers: %s to 0.0.0.0",
    async (protocol) => {
      // The kernel connects 0.0.0.0 to 127.0.0.1, as a translating network would change an address.
      const connection = pinTo(["0.0.0.0"]);
      expect(await open(connection, protocol)).toBe("connected to 127.0.0.1, which was not checked");
      expect([connection.isOpen(), connection.strayPeer()]).toEqual([false, "127.0.0.1"]);
      await new Promise((resolve) => server.close(resolve));
      expect(receivedBytes).toBe(0);
    },
  );

  it("connects once: a second call fails and opens nothing", async () => {
    const connection = pinTo(["127.0.0.1"]);
    await open(connection);
    expect(await open(connection)).toBe("one post has one connection");
    await expect.poll(() => accepted.length).toBe(1);
    connection.close();
  });

  it("tries 4 addresses and no fifth", async () => {
    const unused = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
    const fourth = pinTo([...unused, "127.0.0.1"]);
    expect(await open(fourth)).toBe("open");
    fourth.close();
    const fifth = pinTo([...unused, "127.0.0.5", "127.0.0.1"]);
    expect(await open(fifth)).not.toBe("open");
    expect(accepted).toHaveLength(1);
  });

  it("ends with the signal while the TLS handshake hangs", async () => {
    const limit = new AbortController();
    const connection = pinTo(["127.0.0.1"], limit.signal);
    const ending = open(connection, "https:");
    await expect.poll(() => receivedBytes).toBeGreaterThan(0);
    limit.abort(new Error("too late"));
    expect(await ending).toBe("too late");
    expect(connection.isOpen()).toBe(false);
  });
});
