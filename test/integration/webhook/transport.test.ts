import { createServer as createTcpServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { nodeWebhookTransport, type WebhookTransportOptions } from "../../../src/drivers/webhook/node/index.ts";
import { freePort } from "../../free-port.ts";
import { aPost, openPartner, PARTNER_PEM, type Partner } from "./partner.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((partner) => partner.close()));
});

async function partnerWith(options: Parameters<typeof openPartner>[0] = {}): Promise<Partner> {
  const partner = await openPartner(options);
  opened.push(partner);
  return partner;
}

/** A server that speaks no HTTP of its own: `onData` says what it does when the first bytes arrive. */
async function rawServer(onData: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.once("data", () => onData(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  opened.push({ close });
  return (server.address() as AddressInfo).port;
}

/** The transport of a lab: plain HTTP to 127.0.0.1 on one port. */
function labTransport(port: number, changes: WebhookTransportOptions = {}) {
  return nodeWebhookTransport({ allowHttp: true, ports: [port], allowAddresses: ["127.0.0.1/32"], ...changes });
}

describe("the webhook transport, positive", () => {
  it("posts body and headers byte for byte to an allowed private partner, and reads status and Retry-After", async () => {
    const answer = { "retry-after": "120" };
    const partner = await partnerWith({ answer: (_, response) => response.writeHead(503, answer).end("later") });
    const post = aPost(`http://127.0.0.1:${partner.port}/hook?a=1&b=%20#part`);
    expect(await labTransport(partner.port).post(post)).toEqual({ kind: "answered", status: 503, retryAfter: "120" });
    expect(partner.received).toEqual([
      expect.objectContaining({ method: "POST", path: "/hook?a=1&b=%20", body: `{"event":"shipped"}` }),
    ]);
    expect(partner.received[0]?.headers).toMatchObject({
      "webhook-id": "msg_1",
      "content-length": "19",
      connection: "close",
    });
  });

  it("keeps name, SNI and Host while the connection goes to the checked address, with the certificate of the name", async () => {
    const partner = await partnerWith({ isTls: true });
    const certificateAuthority = PARTNER_PEM;
    const resolve = async () => ["127.0.0.1"];
    const transport = labTransport(partner.port, { allowHttp: false, certificateAuthority, resolve });
    const answer = await transport.post(aPost(`https://hooks.example.com:${partner.port}/hook`));
    expect(answer).toEqual({ kind: "answered", status: 204, retryAfter: null });
    const host = `hooks.example.com:${partner.port}`;
    expect(partner.received).toEqual([expect.objectContaining({ serverName: "hooks.example.com" })]);
    expect(partner.received[0]?.headers.host).toBe(host);
  });

  it("takes a certificate for an address where the URL names one", async () => {
    const partner = await partnerWith({ isTls: true });
    const transport = labTransport(partner.port, { certificateAuthority: PARTNER_PEM });
    const answer = await transport.post(aPost(`https://127.0.0.1:${partner.port}/`));
    expect(answer).toMatchObject({ kind: "answered", status: 204 });
    expect(partner.received).toEqual([expect.objectContaining({ serverName: false })]);
  });

  it("tries the next checked address when the first refuses", async () => {
    const partner = await partnerWith();
    const resolve = async () => ["127.0.0.2", "127.0.0.1"];
    const transport = labTransport(partner.port, { allowAddresses: ["127.0.0.0/8"], resolve });
    expect(await transport.post(aPost(`http://hooks.example.com:${partner.port}/`))).toMatchObject({ status: 204 });
    expect(partner.connections()).toBe(1);
  });

  it.each([
    ["floods: 64 KiB are read", 65_536, 10],
    ["drips: 1 s is waited", 1, 50],
  ])("ends an answer that %s, and the line is cut long before the timeout of 15 s", async (_, chunkBytes, pauseMs) => {
    let sentBytes = 0;
    const partner = await partnerWith({
      answer: (_request, response) => {
        const more = (): void => {
          if (response.destroyed) return;
          response.write(Buffer.alloc(chunkBytes));
          sentBytes += chunkBytes;
          setTimeout(more, pauseMs);
        };
        response.writeHead(200);
        more();
      },
    });
    const startMs = performance.now();
    const post = aPost(`http://127.0.0.1:${partner.port}/`, { timeoutMs: 15_000 });
    expect(await labTransport(partner.port).post(post)).toMatchObject({ kind: "answered", status: 200 });
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(sentBytes).toBeLessThan(30 * 65_536); // Without the cap, about 100 pieces within the second.
  });
});

describe("the webhook transport and its adversaries", () => {
  it("S5: a name that rebinds is resolved once a post: its second address is never connected to", async () => {
    const port = await freePort();
    const first = await partnerWith({ host: "::1", port });
    const second = await partnerWith({ host: "127.0.0.1", port });
    const answers = [["::1"], ["127.0.0.1"]];
    let lookups = 0;
    const resolve = async () => answers[Math.min(lookups++, 1)] ?? [];
    const transport = labTransport(first.port, { allowAddresses: ["::1/128"], resolve });
    const post = aPost(`http://rebind.example.com:${first.port}/`);

    expect(await transport.post(post)).toMatchObject({ kind: "answered", status: 204 });
    expect({ lookups, first: first.connections(), second: second.connections() }).toEqual({
      lookups: 1,
      first: 1,
      second: 0,
    });
    expect(await transport.post(post)).toMatchObject({ kind: "blocked" });
    expect({ lookups, first: first.connections(), second: second.connections() }).toEqual({
      lookups: 2,
      first: 1,
      second: 0,
    });
  });

  it.each([301, 302, 303, 307, 308])(
    "S5: a %i to the metadata service is the answer, and is not followed",
    async (status) => {
      const inner = await partnerWith();
      const places = ["http://169.254.169.254/latest/meta-data/", `http://127.0.0.1:${inner.port}/`];
      for (const location of places) {
        const partner = await partnerWith({ answer: (_, response) => response.writeHead(status, { location }).end() });
        const transport = labTransport(partner.port, { ports: [partner.port, inner.port, 80] });
        const answer = await transport.post(aPost(`http://127.0.0.1:${partner.port}/`));
        expect(answer).toEqual({ kind: "answered", status, retryAfter: null });
        expect(partner.received).toHaveLength(1);
      }
      expect(inner.connections()).toBe(0);
    },
  );

  it("S5: an allowed block opens no other address, and refuseAddresses closes what is open", async () => {
    const partner = await partnerWith();
    const url = `http://127.0.0.1:${partner.port}/`;
    const neighbour = labTransport(partner.port, { allowAddresses: ["127.0.0.2/32"] });
    expect(await neighbour.post(aPost(url))).toMatchObject({ kind: "blocked" });
    const closed = labTransport(partner.port, { refuseAddresses: ["127.0.0.0/8"] });
    expect(await closed.post(aPost(url))).toMatchObject({ kind: "blocked" });
    const mapped = aPost(`http://[::ffff:127.0.0.1]:${partner.port}/`);
    expect(await labTransport(partner.port).post(mapped)).toMatchObject({ kind: "blocked" });
    expect(partner.connections()).toBe(0);
  });

  it("S5: no proxy of the environment is asked", async () => {
    const proxy = await partnerWith();
    const partner = await partnerWith();
    const before = { ...process.env };
    const proxyUrl = `http://127.0.0.1:${proxy.port}`;
    try {
      Object.assign(process.env, { HTTP_PROXY: proxyUrl, http_proxy: proxyUrl, ALL_PROXY: proxyUrl });
      const answer = await labTransport(partner.port).post(aPost(`http://127.0.0.1:${partner.port}/`));
      expect(answer).toMatchObject({ kind: "answered" });
    } finally {
      process.env = before;
    }
    expect(proxy.connections()).toBe(0);
  });
});

describe("the webhook transport when the partner is down", () => {
  it("is lost when a slow partner answers after the timeout", async () => {
    const partner = await partnerWith({ answer: () => undefined });
    const post = aPost(`http://127.0.0.1:${partner.port}/`, { timeoutMs: 500 });
    expect(await labTransport(partner.port).post(post)).toEqual({
      kind: "lost",
      reason: expect.stringContaining("500 ms"),
    });
    expect(partner.received).toHaveLength(1);
  });

  it("is unreachable when the port refuses", async () => {
    const port = await freePort();
    expect(await labTransport(port).post(aPost(`http://127.0.0.1:${port}/`))).toEqual({
      kind: "unreachable",
      reason: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it("is unreachable when the name has no address, or the resolver says nothing in time", async () => {
    const post = aPost("https://hooks.example.com/", { timeoutMs: 100 });
    const none = nodeWebhookTransport({ resolve: async () => [] });
    expect(await none.post(post)).toMatchObject({ kind: "unreachable" });
    const failing = nodeWebhookTransport({
      resolve: () => Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" })),
    });
    expect(await failing.post(post)).toEqual({ kind: "unreachable", reason: expect.stringContaining("ENOTFOUND") });
    const silent = nodeWebhookTransport({ resolve: () => new Promise(() => undefined) });
    expect(await silent.post(post)).toEqual({ kind: "unreachable", reason: expect.stringContaining("100 ms") });
  });

  it("is unreachable, with 0 requests, when the certificate is of another name or of nobody we trust", async () => {
    const partner = await partnerWith({ isTls: true });
    const resolve = async () => ["127.0.0.1"];
    const trusting = labTransport(partner.port, { certificateAuthority: PARTNER_PEM, resolve });
    const wrongName = await trusting.post(aPost(`https://other.example.com:${partner.port}/`));
    expect(wrongName).toEqual({ kind: "unreachable", reason: expect.stringContaining("ALTNAME") });
    const strict = labTransport(partner.port, { resolve });
    const untrusted = await strict.post(aPost(`https://hooks.example.com:${partner.port}/`));
    expect(untrusted).toEqual({ kind: "unreachable", reason: expect.stringContaining("SELF_SIGNED") });
    expect(partner.received).toEqual([]);
  });

  it("is unreachable when the TLS handshake does not come to an end within the timeout", async () => {
    const port = await rawServer(() => undefined);
    const post = aPost(`https://127.0.0.1:${port}/`, { timeoutMs: 150 });
    expect(await labTransport(port).post(post)).toEqual({
      kind: "unreachable",
      reason: expect.stringContaining("150 ms"),
    });
  });

  it.each([
    ["at once", ""],
    ["inside the status line", "HTTP/1.1 20"],
    ["inside the headers", "HTTP/1.1 200 OK\r\ncontent-le"],
    ["after an interim answer", "HTTP/1.1 103 Early Hints\r\n\r\n"],
    ["after what is no HTTP", "SSH-2.0-OpenSSH_9.9\r\n"],
  ])("is lost when the partner closes %s", async (_, text) => {
    const port = await rawServer((socket) => socket.end(text));
    expect(await labTransport(port).post(aPost(`http://127.0.0.1:${port}/`))).toMatchObject({ kind: "lost" });
  });

  it.each([
    ["cuts", (socket: Socket) => socket.end("HTTP/1.1 202 Accepted\r\ncontent-length: 10\r\n\r\nabc")],
    ["never ends", (socket: Socket) => socket.write("HTTP/1.1 202 Accepted\r\ncontent-length: 10\r\n\r\nabc")],
  ] as const)("is answered when the partner %s its body: the head was whole", async (_, onData) => {
    const port = await rawServer(onData);
    const answer = await labTransport(port).post(aPost(`http://127.0.0.1:${port}/`, { timeoutMs: 1_500 }));
    expect(answer).toEqual({ kind: "answered", status: 202, retryAfter: null });
  });

  it("leaves no connection behind", async () => {
    let open = 0;
    const server = createTcpServer((socket) => {
      open += 1;
      socket.on("error", () => undefined).on("close", () => (open -= 1));
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    opened.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
    const { port } = server.address() as AddressInfo;
    const posts = Array.from({ length: 20 }, () =>
      labTransport(port).post(aPost(`http://127.0.0.1:${port}/`, { timeoutMs: 1_000 })),
    );
    expect(new Set((await Promise.all(posts)).map(({ kind }) => kind))).toEqual(new Set(["lost"]));
    await expect.poll(() => open).toBe(0);
  });
});

describe("the webhook transport and its caller's mistakes", () => {
  it.each([
    ["a header of the transport", { headers: { Host: "inner.example.com" } }, "set by the transport"],
    ["a header with a line break", { headers: { "webhook-id": "a\r\nb: c" } }, "invalid webhook-id header"],
    ["no timeout", { timeoutMs: 0 }, "timeoutMs is 0"],
    ["an endless timeout", { timeoutMs: Number.POSITIVE_INFINITY }, "timeoutMs is Infinity"],
  ])("throws on %s, with 0 connections", async (_, changes, message) => {
    const partner = await partnerWith();
    const post = aPost(`http://127.0.0.1:${partner.port}/`, changes);
    await expect(labTransport(partner.port).post(post)).rejects.toThrow(message);
    expect(partner.connections()).toBe(0);
  });
});
