import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { arrivals, generateTraffic, type TrafficOptions } from "../../src/lab/traffic/generate.ts";
import type { TrafficAnswer } from "../../src/lab/traffic/tally.ts";
import { hash32 } from "../../src/lab/seeded.ts";

const QUESTIONS = ["one?", "two?", "three?"];
let servers: Server[] = [];
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
});

type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void;

/** A server that stands where the gateway would. */
async function fakeGateway(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => {
      body += part.toString();
    });
    request.on("end", () => handler(request, body, response));
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`;
}

/** Headers of a threshold router with `candidateBp` under document 1.`seq`. */
function routed(request: IncomingMessage, candidateBp: number, seq: number): Record<string, string> {
  const bucket = hash32(String(request.headers["x-user-id"])) % 10_000;
  const arm = bucket < candidateBp ? "candidate" : "stable";
  return {
    "x-sluice-arm": arm,
    "x-sluice-doc": `1.${seq}`,
    "x-sluice-split": String(candidateBp),
    "content-type": "application/json",
  };
}

function options(targetUrl: string, signal: AbortSignal, more: Partial<TrafficOptions> = {}): TrafficOptions {
  return { targetUrl, signal, requestsPerSecond: 200, questions: QUESTIONS, seed: 7, ...more };
}

describe("arrivals", () => {
  const drawn = (seed: number, count: number) => {
    const next = arrivals({ ...options("http://127.0.0.1:1/", AbortSignal.abort()), seed });
    return Array.from({ length: count }, next);
  };

  it("are the same for one seed and others for another", () => {
    expect(drawn(7, 200)).toEqual(drawn(7, 200));
    expect(drawn(8, 200)).not.toEqual(drawn(7, 200));
  });

  it("come at 200 a second with exponential gaps, ask every question alike and stream three in ten", () => {
    const all = drawn(7, 20_000);
    const mean = all.reduce((sum, { gapMs }) => sum + gapMs, 0) / all.length;
    expect(mean).toBeCloseTo(5, 0);
    const beyondMean = all.filter(({ gapMs }) => gapMs > 5).length / all.length;
    expect(beyondMean).toBeCloseTo(Math.exp(-1), 1);
    expect(all.filter(({ isStreaming }) => isStreaming).length / all.length).toBeCloseTo(0.3, 1);
    for (const question of QUESTIONS)
      expect(all.filter((one) => one.question === question).length / all.length).toBeCloseTo(1 / 3, 1);
    const byUser = new Set(all.map(({ user }) => user)).size;
    expect(byUser).toBeGreaterThan(5_000);
  });
});

describe("generateTraffic", () => {
  it("keeps its rate within 10 % though answers take 300 ms: the loop is open", async () => {
    const target = await fakeGateway((request, _body, response) => {
      setTimeout(() => response.writeHead(200, routed(request, 1000, 1)).end("{}"), 300);
    });
    const stop = AbortSignal.timeout(3_000);
    const summary = await generateTraffic(options(target, stop, { requestsPerSecond: 300 })).finished;
    expect(summary.requests).toBeGreaterThan(900 * 0.9);
    expect(summary.requests).toBeLessThan(900 * 1.1);
    expect(summary).toMatchObject({
      answered: summary.requests,
      failedByRouter: 0,
      skippedAtCap: 0,
      unfinished: 0,
      stickyViolations: 0,
    });
    expect(summary.byArm.stable.requests + summary.byArm.candidate.requests).toBe(summary.requests);
  });

  it("sends user, question and accept as a client would, and reports each answer", async () => {
    const seen: { user: unknown; accept: unknown; body: unknown }[] = [];
    const target = await fakeGateway((request, body, response) => {
      seen.push({ user: request.headers["x-user-id"], accept: request.headers.accept, body: JSON.parse(body) });
      if (request.headers.accept === "text/event-stream") {
        response.writeHead(200, { ...routed(request, 1000, 1), "content-type": "text/event-stream" });
        response.write('event: token\ndata: "x"\n\nevent: do');
        setTimeout(() => response.end("ne\ndata: {}\n\n"), 5);
      } else response.writeHead(200, routed(request, 1000, 1)).end("{}");
    });
    const stop = new AbortController();
    const answers: TrafficAnswer[] = [];
    const traffic = generateTraffic(options(target, stop.signal, { onAnswer: (answer) => answers.push(answer) }));
    while (answers.length < 60) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(traffic.snapshot().answered).toBeGreaterThanOrEqual(60);
    stop.abort();
    const summary = await traffic.finished;
    expect(answers).toHaveLength(summary.requests);
    expect(answers.every(({ body, status }) => body === "whole" && status === 200)).toBe(true);
    expect(answers.some(({ isStreaming }) => isStreaming)).toBe(true);
    expect(seen).toHaveLength(summary.requests);
    for (const { user, body } of seen) {
      expect(user).toMatch(/^user-\d+$/);
      expect(body).toEqual({ question: expect.stringMatching(/\?$/), k: 10, seed: null, probe: false });
    }
  });

  it("tells whole, cut and missing answers apart, and a stream without its done event is cut", async () => {
    let count = 0;
    const target = await fakeGateway((request, _body, response) => {
      const kind = count++ % 4;
      const headers = routed(request, 0, 1);
      if (kind === 0) response.writeHead(200, headers).end("{}");
      else if (kind === 1)
        response.writeHead(200, { ...headers, "content-length": "100" }).write("{", () => response.destroy());
      else if (kind === 2)
        response.writeHead(200, { ...headers, "content-type": "text/event-stream" }).end("event: token\n\n");
      else response.destroy();
    });
    const summary = await generateTraffic(options(target, AbortSignal.timeout(500), { requestsPerSecond: 100 }))
      .finished;
    const quarter = summary.requests / 4;
    expect(quarter).toBeGreaterThan(4);
    expect(Math.abs(summary.failedByRouter - quarter)).toBeLessThanOrEqual(1);
    expect(Math.abs(summary.cutBodies - 2 * quarter)).toBeLessThanOrEqual(2);
    expect(summary.byArm.stable.cutBodies).toBe(summary.cutBodies);
  });

  it("counts every request as the router's failure when nothing listens", async () => {
    const target = await fakeGateway(() => undefined);
    servers.pop()!.close();
    const summary = await generateTraffic(options(target, AbortSignal.timeout(300))).finished;
    expect(summary.requests).toBeGreaterThan(10);
    expect(summary).toMatchObject({ failedByRouter: summary.requests, answered: 0 });
  });

  it("skips and counts arrivals at its cap, and gives up on answers that never come", async () => {
    const target = await fakeGateway(() => undefined);
    const limits = { inFlightMax: 20, drainMs: 100 };
    const summary = await generateTraffic(options(target, AbortSignal.timeout(500), limits)).finished;
    expect(summary).toMatchObject({ requests: 20, unfinished: 20, failedByRouter: 0 });
    expect(summary.skippedAtCap).toBeGreaterThan(30);
  });

  it("sends nothing under a signal that is aborted already", async () => {
    const target = await fakeGateway((_request, _body, response) => response.end());
    expect((await generateTraffic(options(target, AbortSignal.abort())).finished).requests).toBe(0);
  });

  it("finds no violation while a threshold router moves 0 -> 10 -> 50 -> 0 %, and some when it deals anew", async () => {
    const run = async (isSticky: boolean) => {
      const shares = [0, 1_000, 5_000, 0];
      const stop = new AbortController();
      let count = 0;
      const target = await fakeGateway((request, _body, response) => {
        const moves = Math.floor(count++ / 100); // By requests, not by time, so that every share is met on a slow machine.
        if (moves >= shares.length) stop.abort();
        const candidateBp = shares[moves] ?? 0;
        const headers = routed(request, candidateBp, 1 + Math.min(moves, shares.length - 1));
        if (!isSticky) headers["x-sluice-arm"] = (count * 7_919) % 10_000 < candidateBp ? "candidate" : "stable";
        setTimeout(() => response.writeHead(200, headers).end("{}"), (count * 13) % 40);
      });
      const traffic = generateTraffic(options(target, stop.signal, { users: 50, requestsPerSecond: 400 }));
      return traffic.finished;
    };
    const [sticky, dealing] = [await run(true), await run(false)];
    expect(sticky.stickyViolations).toBe(0);
    expect(sticky.candidateRequests).toBeGreaterThan(20);
    expect(sticky.lastCandidateSentAtEpochMs!).toBeGreaterThan(sticky.firstCandidateSentAtEpochMs!);
    expect(dealing.stickyViolations).toBeGreaterThan(10);
  });
});
