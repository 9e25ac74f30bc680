// One thing under test: node serve.mjs KIND PORT STABLE CANDIDATE CONTROLLER
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [kind, portText, stable, candidate, controllerUrl] = process.argv.slice(2);
const port = Number(portText);
const peers = createRequire(import.meta.url);
const ours = createRequire(new URL("../../package.json", import.meta.url));
const dist = process.env.SLUICE_DIST ?? new URL("../../dist/", import.meta.url).href;

function listen(handle) {
  const server = createServer(handle);
  server.keepAliveTimeout = 300_000;
  server.listen({ port, host: "127.0.0.1", backlog: 4_096 });
}

function badGateway(res) {
  if (!res.headersSent) res.writeHead(502);
  res.end();
}

const HOP = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "proxy-connection"]);

/** The least a proxy can do with node:http and undici: strip hop-by-hop fields, add one, no routing, no checks. */
function bare() {
  const { Pool } = ours("undici");
  const pool = new Pool(stable, { connections: 128, pipelining: 1 });
  class Handler {
    constructor(res) {
      this.res = res;
      this.abort = null;
    }
    onConnect(abort) {
      this.abort = abort;
    }
    onHeaders(status, raw, resume) {
      const headers = [];
      for (let at = 0; at < raw.length; at += 2) {
        const name = raw[at].toString("latin1");
        if (!HOP.has(name.toLowerCase())) headers.push(name, raw[at + 1].toString("latin1"));
      }
      this.res.writeHead(status, headers);
      this.res.on("drain", resume);
      return true;
    }
    onData(chunk) {
      return this.res.write(chunk);
    }
    onComplete() {
      this.res.end();
    }
    onError() {
      badGateway(this.res);
    }
  }
  listen((req, res) => {
    const headers = [];
    const raw = req.rawHeaders;
    for (let at = 0; at < raw.length; at += 2) if (!HOP.has(raw[at].toLowerCase())) headers.push(raw[at], raw[at + 1]);
    headers.push("x-cache-namespace", "v1:");
    const handler = new Handler(res);
    res.on("close", () => {
      if (!res.writableFinished) handler.abort?.();
    });
    const { method, url: path } = req;
    const send = (body) => pool.dispatch({ method, path, headers, body }, handler);
    const length = Number(req.headers["content-length"] ?? 0);
    if (length === 0 || length > 16_384) return send(method === "GET" ? null : req);
    const chunks = [];
    let bytes = 0;
    req.on("data", (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes === length) send(chunks.length === 1 ? chunk : Buffer.concat(chunks));
    });
  });
}

/** Ours with everything on: routing at 10 %, telemetry pushed to a controller four times a second, draining. */
async function sluice() {
  const { startGateway } = await import(new URL("gateway/server.js", dist));
  const { systemClock, systemRandom } = await import(new URL("fence/system.js", dist));
  const gateway = await startGateway({
    listen: { host: "127.0.0.1", port },
    service: "bench",
    clock: systemClock,
    random: systemRandom,
    gatewayId: "bench",
    controllerUrl,
    timeouts: { upstreamIdleMs: 60_000 }, // Between two slices of a load nothing is opened anew.
    document: {
      version: 1,
      service: "bench",
      epoch: 1,
      seq: 1,
      rolloutId: "r1",
      arms: {
        stable: { releaseId: "a", endpoints: [stable], cachePrefix: "v1-blu:" },
        candidate: { releaseId: "b", endpoints: [candidate], cachePrefix: "v2-cnr:" },
      },
      candidateBp: 1_000,
      sticky: { hash: "v1", seed: 7, ttlMs: 86_400_000 },
      identity: { trustedHeaders: ["x-user-id"], stickyBy: ["x-user-id"] },
      allow: [],
      closed: [],
      drainMs: 1_000,
      issuedAt: 1_700_000_000_000,
    },
  });
  const everyMs = Number(process.env.SLUICE_CHANGE_MS ?? 0);
  if (everyMs > 0) setInterval(() => changeSplit(gateway), everyMs);
  process.once("SIGTERM", () => void gateway.drain().then(() => process.exit(0)));
}

/** Publishes the other share, and every tenth time swaps the endpoints of the arms as a promotion would. */
function changeSplit(gateway) {
  const { seq, arms, candidateBp, ...rest } = gateway.document();
  const next = seq + 1;
  const swapped = { stable: { ...arms.candidate }, candidate: { ...arms.stable } };
  const changed = { ...rest, seq: next, arms: next % 10 === 0 ? swapped : arms };
  const admission = gateway.adopt({ ...changed, candidateBp: candidateBp === 1_000 ? 5_000 : 1_000 });
  if (admission.kind !== "adopt") throw new Error(`not adopted: ${JSON.stringify(admission)}`);
}

const kinds = {
  bare,
  sluice,
  "fast-proxy"() {
    const { proxy } = peers("fast-proxy")({ base: stable, undici: { connections: 128, pipelining: 1 } });
    const rewriteRequestHeaders = (_req, headers) => ({ ...headers, "x-cache-namespace": "v1:" });
    listen((req, res) => proxy(req, res, req.url, { rewriteRequestHeaders }));
  },
  "http-proxy"() {
    const agent = new (peers("node:http").Agent)({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256 });
    const proxy = peers("http-proxy").createProxyServer({ agent });
    proxy.on("error", (_error, _req, res) => badGateway(res));
    listen((req, res) => {
      req.headers["x-cache-namespace"] = "v1:";
      proxy.web(req, res, { target: stable });
    });
  },
  async httpxy() {
    const proxy = (await import("httpxy")).createProxyServer({});
    listen((req, res) => proxy.web(req, res, { target: stable }).catch(() => badGateway(res)));
  },
  async "fastify-http-proxy"() {
    const app = peers("fastify")({ logger: false, keepAliveTimeout: 300_000 });
    await app.register(peers("@fastify/http-proxy"), { upstream: stable, undici: { connections: 128, pipelining: 1 } });
    await app.listen({ port, host: "127.0.0.1", backlog: 4_096 });
  },
};
await kinds[kind]();
