import { createServer, request } from "node:http";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/fence/system.ts";
import type { GatewayOptions } from "../../src/gateway/options.ts";
import type { Gateway } from "../../src/gateway/server.ts";
import { closedAfterEach, originsIn } from "./closed-after-each.ts";
import { aDocument, aGateway, eventually, exchangeBytes, exchangeUntil, get, listen } from "./world.ts";

const open = closedAfterEach();
const origin = originsIn(open);

async function gatewayTo(
  stable: string,
  candidate: string | null = null,
  parts: Partial<GatewayOptions> = {},
): Promise<Gateway> {
  const made = await aGateway(aDocument(stable, candidate, { drainMs: 300 }), parts);
  open.push(() => made.drain());
  return made;
}

describe("forwarding", () => {
  it("RT-5: tells the service its arm and cache namespace, and the client the arm, document and split", async () => {
    const [stable, candidate] = [await origin(), await origin()];
    const gateway = await gatewayTo(stable.url, candidate.url);
    const arms = new Set<string>();
    for (let user = 0; user < 40; user++) {
      const got = await get(`${gateway.url}/v1/query?q=1`, { headers: { "x-user-id": `u${user}` } });
      const { arm, url } = JSON.parse(got.body) as { arm: string; url: string };
      expect(got.headers["x-sluice-arm"]).toBe(arm);
      expect(got.headers["x-sluice-doc"]).toBe("1.1");
      expect(got.headers["x-sluice-split"]).toBe("5000");
      expect(got.headers["x-sluice-origin"]).toBeUndefined();
      expect(url).toBe("/v1/query?q=1");
      arms.add(arm);
    }
    expect(arms).toEqual(new Set(["stable", "candidate"]));
    expect(stable.seen.every(({ headers }) => headers["x-cache-namespace"] === "v1-blu:")).toBe(true);
    expect(candidate.seen.every(({ headers }) => headers["x-cache-namespace"] === "v2-cnr:")).toBe(true);
  });

  it("sends requests without a unit to stable", async () => {
    const [stable, candidate] = [await origin(), await origin()];
    const gateway = await gatewayTo(stable.url, candidate.url);
    for (let time = 0; time < 10; time++) await get(gateway.url);
    expect([stable.seen.length, candidate.seen.length]).toEqual([10, 0]);
  });

  it("carries bodies of 0, 33, 16 384, 16 385 and 3 000 000 bytes, with a length and chunked", async () => {
    const stable = await origin();
    const gateway = await gatewayTo(stable.url);
    for (const bytes of [0, 33, 16_384, 16_385, 3_000_000]) {
      const body = Buffer.alloc(bytes, "abcdefghij");
      for (const headers of [{ "content-length": String(bytes) }, { "transfer-encoding": "chunked" }]) {
        const got = await get(`${gateway.url}/up`, { method: "POST", headers }, body);
        expect(got.status).toBe(200);
        expect(stable.seen.at(-1)?.body === body.toString("latin1")).toBe(true);
      }
    }
  });

  it("forwards HEAD, 204 and 304 without a body and keeps the connection usable", async () => {
    const stable = await origin((seen, res) => {
      if (seen.method === "HEAD") res.writeHead(200, { "content-length": "1234" }).end();
      else if (seen.url === "/204") res.writeHead(204).end();
      else if (seen.url === "/304") res.writeHead(304, { etag: '"x"' }).end();
      else res.end("whole");
    });
    const gateway = await gatewayTo(stable.url);
    const text = await exchangeUntil(
      gateway.url,
      ["HEAD /h", "GET /204", "GET /304", "GET /end"].map((line) => `${line} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""),
      /whole/,
    );
    expect([...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map((match) => match[1])).toEqual(["200", "204", "304", "200"]);
    expect(text).toContain("content-length: 1234");
    expect(text.endsWith("whole\r\n0\r\n\r\n") || text.endsWith("whole")).toBe(true);
  });

  it("meets Expect: 100-continue itself and never sends it on", async () => {
    const stable = await origin();
    const gateway = await gatewayTo(stable.url);
    const head = "POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    const text = await exchangeUntil(gateway.url, [head, "abc"], /200 OK/);
    expect(text.startsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")).toBe(true);
    expect(stable.seen[0]?.body).toBe("abc");
    expect(stable.seen[0]?.headers.expect).toBeUndefined();
  });

  it("refuses an upgrade with 501, names itself, and goes on in HTTP/1.1 when HTTP/2 is merely offered", async () => {
    const stable = await origin();
    const gateway = await gatewayTo(stable.url);
    const websocket = { connection: "upgrade", upgrade: "websocket" };
    const got = await get(gateway.url, { headers: websocket });
    expect([got.status, got.headers["x-sluice-origin"]]).toEqual([501, "gateway"]);
    expect(got.headers["content-type"]).toBe("application/problem+json");
    const offered = await get(gateway.url, {
      headers: { connection: "upgrade, http2-settings", upgrade: "h2c", "http2-settings": "AA" },
    });
    expect(offered.status).toBe(200);
    expect(stable.seen).toHaveLength(1);
    expect(stable.seen[0]?.headers["http2-settings"]).toBeUndefined();
  });

  it("S2: a Connection field strips what it lists and cannot strip what the gateway sets", async () => {
    const stable = await origin();
    const gateway = await gatewayTo(stable.url);
    await get(gateway.url, {
      headers: { connection: "x-exp, x-cache-namespace, X-Secret, keep-alive", "x-secret": "1", "x-kept": "2" },
    });
    const headers = stable.seen[0]?.headers ?? {};
    expect([headers["x-exp"], headers["x-cache-namespace"]]).toEqual(["stable", "v1-blu:"]);
    expect([headers["x-secret"], headers["x-kept"]]).toEqual([undefined, "2"]);
  });

  it("appends a trusted peer to its X-Forwarded-For and tells the client's host", async () => {
    const stable = await origin();
    const gateway = await gatewayTo(stable.url, null, { trustedProxies: ["127.0.0.1"] });
    await get(gateway.url, { headers: { "x-forwarded-for": "203.0.113.9", host: "rag.example" } });
    const headers = stable.seen[0]?.headers;
    expect(headers?.["x-forwarded-for"]).toBe("203.0.113.9, 127.0.0.1");
    expect([headers?.["x-forwarded-host"], headers?.host]).toEqual(["rag.example", new URL(stable.url).host]);
  });

  it("puts an endpoint's path in front and refuses a path that would lead out of it", async () => {
    const stable = await origin();
    const gateway = await gatewayTo(`${stable.url}/svc/`);
    expect((await get(`${gateway.url}/a?b=../c`)).status).toBe(200);
    expect(stable.seen[0]?.url).toBe("/svc/a?b=../c");
    for (const path of ["/../admin", "/a/%2e%2E/b", "/a/..", "/./x", "/.%2e"]) {
      expect((await get(gateway.url, { path })).status, path).toBe(400);
    }
    expect(stable.seen).toHaveLength(1);
  });

  it("drops hop-by-hop fields, trailers and foreign labels of an answer", async () => {
    const server = createServer((_req, res) => {
      res.writeHead(200, {
        "x-sluice-arm": "candidate",
        "keep-alive": "timeout=99",
        connection: "keep-alive, x-hop",
        "x-hop": "1",
        trailer: "x-sum",
      });
      res.write("body");
      res.addTrailers({ "x-sum": "1" });
      res.end();
    });
    const url = await listen(server);
    open.push(async () => server.close());
    const gateway = await gatewayTo(url);
    const text = await exchangeUntil(gateway.url, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", /\r\n0\r\n\r\n$/);
    expect(text).toContain("x-sluice-arm: stable");
    expect(text).not.toMatch(/x-sluice-arm: candidate|x-hop|trailer|x-sum|timeout=99/i);
    expect(text).toContain("body");
  });

  it("does not forward more than the body limit: 413 at once with a length, 413 on the way when chunked", async () => {
    const stable = await origin();
    const gateway = await gatewayTo(stable.url, null, { limits: { bodyBytes: 100_000 } });
    const long = Buffer.alloc(100_001, "a");
    const headers = { "content-length": "100001" };
    const declared = await get(gateway.url, { method: "POST", headers }, long).catch(
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect(typeof declared === "object" ? declared.status : "EPIPE").toBeOneOf([413, "EPIPE"]);
    const expecting = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100001\r\n\r\n";
    expect(await exchangeBytes(gateway.url, expecting)).toMatch(/^HTTP\/1\.1 413 /);
    const size = long.length.toString(16);
    const chunked = `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n${long}\r\n`;
    expect(await exchangeBytes(gateway.url, chunked)).toMatch(/^HTTP\/1\.1 413 /);
    expect(stable.seen).toHaveLength(0);
  });
});

describe("failing upstreams", () => {
  it("answers 502 in its own name when nothing listens, with the arm it chose", async () => {
    const gateway = await gatewayTo("http://127.0.0.1:9");
    const got = await get(gateway.url);
    expect([got.status, got.headers["x-sluice-origin"], got.headers["x-sluice-arm"]]).toEqual([
      502,
      "gateway",
      "stable",
    ]);
    expect(JSON.parse(got.body)).toMatchObject({ status: 502, code: "upstream-failure" });
    expect(gateway.stats().gatewayFailures).toBe(1);
  });

  it("answers 502 also for a streamed request body whose endpoint refuses the connection", async () => {
    const gateway = await gatewayTo("http://127.0.0.1:9");
    const got = await get(
      gateway.url,
      { method: "POST", headers: { "transfer-encoding": "chunked" } },
      Buffer.alloc(50_000),
    );
    expect(got.status).toBe(502);
  });

  it("sends a request of which no byte left to another endpoint of the same arm, also a POST", async () => {
    const stable = await origin();
    const document = aDocument(stable.url, null);
    const endpoints = ["http://127.0.0.1:9", stable.url];
    const gateway = await aGateway({
      ...document,
      arms: { ...document.arms, stable: { ...document.arms.stable, endpoints } },
    });
    open.push(() => gateway.drain());
    for (let time = 0; time < 6; time++) expect((await get(gateway.url, { method: "POST" }, "x")).status).toBe(200);
    expect(stable.seen).toHaveLength(6);
    expect(gateway.stats().retries).toBeGreaterThan(0);
  });

  it("repeats a GET once when the connection breaks before the answer, and never a POST", async () => {
    let calls = 0;
    const stable = await origin((_seen, res, req) => {
      calls++;
      if (calls % 2 === 1) req.socket.destroy();
      else res.end("second");
    });
    const gateway = await gatewayTo(stable.url);
    expect((await get(gateway.url)).body).toBe("second");
    expect(calls).toBe(2);
    const post = await get(gateway.url, { method: "POST" }, "x");
    expect([post.status, calls]).toEqual([502, 3]);
  });

  it("passes a body the service cut on as a cut, after the bytes that came, and does not retry it", async () => {
    const stable = await origin((_seen, res, req) => {
      res.writeHead(200, { "content-length": "1000" });
      res.write("first bytes", () => setTimeout(() => req.socket.destroy(), 20));
    });
    const gateway = await gatewayTo(stable.url);
    const text = await exchangeUntil(gateway.url, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", /never/);
    expect(text).toContain("first bytes");
    await expect(get(gateway.url)).rejects.toThrow();
    expect(stable.seen).toHaveLength(2);
    expect(gateway.stats().gatewayFailures).toBe(0);
  });

  it("S21: answers 503 at once when more requests wait than may, and recovers", async () => {
    const waiting: (() => void)[] = [];
    const stable = await origin((_seen, res) => void waiting.push(() => res.end("ok")));
    const gateway = await gatewayTo(stable.url, null, { limits: { connectionsPerEndpoint: 1, waitingPerEndpoint: 3 } });
    const asked = [1, 2, 3].map(() => get(gateway.url));
    await eventually(() => gateway.stats().inFlight === 3);
    const got = await get(gateway.url);
    expect([got.status, JSON.parse(got.body).code, got.headers["retry-after"]]).toEqual([503, "saturated", "1"]);
    for (let one = 0; one < 3; one++) {
      await eventually(() => waiting.length === one + 1);
      waiting[one]?.();
    }
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it("answers 504 when headers do not come in time", async () => {
    const stable = await origin(() => {});
    const gateway = await gatewayTo(stable.url, null, { timeouts: { headersMs: 600 } });
    const got = await get(gateway.url);
    expect([got.status, JSON.parse(got.body).code]).toEqual([504, "upstream-timeout"]);
  });
});

describe("streams", () => {
  it("forwards headers and each piece as they come, before the answer ends", async () => {
    const steps: (() => void)[] = [];
    const stable = await origin((_seen, res) => {
      steps.push(() => res.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders());
      steps.push(() => void res.write("data: 1\n\n"));
      steps.push(() => void res.write("data: 2\n\n"));
      steps.push(() => void res.end());
    });
    const gateway = await gatewayTo(stable.url);
    const got: string[] = [];
    const req = request(gateway.url, (res) => {
      got.push(`headers ${res.headers["content-type"]}`);
      res.on("data", (chunk: Buffer) => got.push(String(chunk)));
      res.on("end", () => got.push("end"));
    }).end();
    open.push(async () => req.destroy());
    const expected = ["headers text/event-stream", "data: 1\n\n", "data: 2\n\n", "end"];
    await eventually(() => steps.length === 4);
    for (let step = 0; step < 4; step++) {
      steps[step]?.();
      expect(await eventually(() => got.length === step + 1)).toBe(true);
    }
    expect(got).toEqual(expected);
  });

  it("cancels the upstream request when the client goes away, before and after headers, and counts no failure", async () => {
    const closed: string[] = [];
    const stable = await origin((seen, res) => {
      res.on("close", () => closed.push(`${seen.url} ${res.writableFinished}`));
      if (seen.url === "/stream") res.write("x");
    });
    const gateway = await gatewayTo(stable.url);
    for (const path of ["/stream", "/silent"]) {
      const { port } = new URL(gateway.url);
      const socket = connect(Number(port), "127.0.0.1");
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await eventually(() => stable.seen.some(({ url }) => url === path));
      socket.destroy();
      expect(await eventually(() => closed.includes(`${path} false`))).toBe(true);
    }
    expect(await eventually(() => gateway.stats().inFlight === 0)).toBe(true);
    expect(gateway.stats().gatewayFailures).toBe(0);
  });

  it("sends nothing upstream for a small body that never became whole", async () => {
    const stable = await origin();
    const gateway = await gatewayTo(stable.url);
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
    socket.write("POST /half HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
    await eventually(() => gateway.stats().inFlight === 1);
    socket.destroy();
    expect(await eventually(() => gateway.stats().inFlight === 0)).toBe(true);
    await get(gateway.url);
    expect(stable.seen.map(({ method }) => method)).toEqual(["GET"]);
  });

  it("serves HTTP/1.0, and resets its connection when a body of unknown length is cut", async () => {
    const stable = await origin((seen, res, req) => {
      res.write("part");
      if (seen.url === "/cut") setTimeout(() => req.socket.destroy(), 30);
      else res.end(" and rest");
    });
    const gateway = await gatewayTo(stable.url);
    const whole = await exchangeUntil(gateway.url, "GET /whole HTTP/1.0\r\n\r\n", /and rest$/);
    expect(whole.endsWith("\r\n\r\npart and rest")).toBe(true);
    const outcome = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
      socket.on("end", () => resolve("ended as if whole"));
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(String(error.code)));
      socket.resume();
      socket.write("GET /cut HTTP/1.0\r\n\r\n");
    });
    expect(outcome).toBe("ECONNRESET");
  });

  it("answers pipelined requests one after the other, and starts none of them once the connection broke", async () => {
    let closed = 0;
    const stable = await origin((seen, res) => {
      res.on("close", () => closed++);
      if (seen.url === "/1") setTimeout(() => res.end("one"), 30);
    });
    const gateway = await gatewayTo(stable.url);
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
    const line = (path: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na`;
    socket.write(line("/1") + line("/2") + line("/3"));
    await eventually(() => stable.seen.length === 2);
    expect([closed, stable.seen.map(({ url }) => url)]).toEqual([1, ["/1", "/2"]]);
    socket.destroy();
    expect(await eventually(() => closed === 2 && gateway.stats().inFlight === 0)).toBe(true);
    expect(stable.seen).toHaveLength(2);
  });

  it("holds a fast service back to the pace of a slow client, and a fast client to a slow service", async () => {
    let written = 0;
    let read = 0;
    const big = Buffer.alloc(65_536, "a");
    const server = createServer((req, res) => {
      if (req.method === "POST") {
        req.pause();
        open.push(async () => req.destroy());
        return;
      }
      const more = () => {
        while (written < 64_000_000 && !res.destroyed) {
          written += big.length;
          if (!res.write(big)) return void res.once("drain", more);
        }
        res.end();
      };
      more();
    });
    const url = await listen(server);
    open.push(async () => {
      server.close();
      server.closeAllConnections();
    });
    const gateway = await gatewayTo(url);
    const { port } = new URL(gateway.url);
    const reader = connect(Number(port), "127.0.0.1");
    reader.pause();
    reader.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await systemClock.sleep(400);
    expect(written).toBeLessThan(40_000_000);
    reader.destroy();

    const writer = connect(Number(port), "127.0.0.1");
    writer.on("error", () => {});
    writer.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n`);
    const push = () => {
      while (read < 60_000_000) {
        read += big.length;
        if (!writer.write(big)) return void writer.once("drain", push);
      }
    };
    push();
    await systemClock.sleep(400);
    expect(read).toBeLessThan(40_000_000);
    writer.destroy();
  });
});
