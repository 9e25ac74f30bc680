import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import type { GatewayOptions } from "../../src/gateway/options.ts";
import { systemClock } from "../../src/fence/system.ts";
import { closedAfterEach } from "./closed-after-each.ts";
import { aDocument, aGateway, anOrigin, eventually, exchangeUntil } from "./world.ts";

const open = closedAfterEach();

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** A service that answers `/slow` after `slowMs` and everything else at once, each with its path. */
async function world(slowMs: number, options: Partial<GatewayOptions> = {}) {
  const origin = await anOrigin(async ({ url, body }, res) => {
    if (url === "/slow") await systemClock.sleep(slowMs);
    res.end(`${url}=${body};`);
  });
  open.push(() => origin.close());
  const gateway = await aGateway(aDocument(origin.url, null, { drainMs: 200 }), options);
  open.push(() => gateway.drain());
  return { origin, gateway };
}

describe("what a client pipelines", () => {
  it("stays bytes until its turn: 3 000 requests in one go are begun one after the other, answered in order", async () => {
    const { gateway } = await world(0);
    const count = 3_000;
    const pieces: string[] = [];
    let answers = 0;
    let ahead = 0;
    let inFlight = 0;
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
    socket.on("data", (chunk) => {
      const text = chunk.toString("latin1");
      pieces.push(text);
      answers += text.split("HTTP/1.1 ").length - 1;
      ahead = Math.max(ahead, gateway.stats().requests - answers);
      inFlight = Math.max(inFlight, gateway.stats().inFlight);
      if (text.includes(`/${count - 1}=;`)) socket.end();
    });
    socket.write(Array.from({ length: count }, (_none, at) => get(`/${at}`)).join(""));
    await new Promise((resolve) => socket.once("close", resolve));
    const paths = [...pieces.join("").matchAll(/\/(\d+)=;/g)].map(([, path]) => Number(path));
    expect(paths).toEqual(Array.from({ length: count }, (_none, at) => at));
    expect(inFlight).toBeLessThanOrEqual(1);
    expect(ahead).toBeLessThan(100); // Answers on their way to us.
  });

  it("takes bodies that come in pieces behind a request that is still answered", async () => {
    const { gateway } = await world(100);
    const head = "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab";
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.write(get("/slow") + head);
    await eventually(() => text.includes("/slow=;"));
    socket.write(`c\r\n0\r\n\r\n${get("/c")}`);
    expect(await eventually(() => text.includes("/c=;"))).toBe(true);
    expect(text.indexOf("/b=abc;")).toBeLessThan(text.indexOf("/c=;"));
    socket.destroy();
  });

  it("is all there and in order behind requests that offer HTTP/2, in whatever reads it came", async () => {
    const { gateway } = await world(400);
    const offer = "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n";
    const offering = (path: string) => get(path).replace(/\r\n$/, offer);
    const pieces = [offering("/slow"), offering("/b"), get("/c"), get("/d"), offering("/e"), get("/f")];
    const cases = Array.from({ length: 2 ** (pieces.length - 1) }, (_none, cuts) =>
      pieces.reduce<string[]>((reads, piece, at) => {
        const isCut = at === 0 || (cuts & (1 << (at - 1))) !== 0;
        return isCut ? [...reads, piece] : [...reads.slice(0, -1), `${reads.at(-1)}${piece}`];
      }, []),
    );
    const answersTo = async (reads: readonly string[]) => {
      const socket = connect({ port: Number(new URL(gateway.url).port), host: "127.0.0.1", noDelay: true });
      let text = "";
      socket.on("data", (chunk) => (text += chunk.toString("latin1")));
      socket.write(get("/first"));
      await eventually(() => text.includes("/first=;")); // So that each piece is read when it was written.
      text = "";
      for (const read of reads) {
        socket.write(read);
        await systemClock.sleep(40);
      }
      await eventually(() => text.includes("/f=;"));
      socket.destroy();
      return [...text.matchAll(/(\/\w+)=;/g)].map(([, path]) => path).join(" ");
    };
    const met = await Promise.all(cases.map(answersTo));
    expect(met).toEqual(cases.map(() => "/slow /b /c /d /e /f"));
  });

  it("ends the connection after the answers that are owed when it is nonsense, CONNECT, or stops half-way", async () => {
    const { gateway, origin } = await world(700, { timeouts: { clientHeadersMs: 300 } });
    const [nonsense, tunnel, half] = await Promise.all(
      [`nonsense\r\n\r\n`, "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", "GET /b HTTP/1.1\r\nHo"].map((behind) =>
        exchangeUntil(gateway.url, get("/slow") + behind, /never/),
      ),
    );
    expect([nonsense, tunnel, half].map((text) => statuses(text ?? ""))).toEqual([
      [200, 400],
      [200, 405],
      [200, 408],
    ]);
    expect(nonsense).toContain("/slow=;");
    expect(origin.seen.map(({ url }) => url)).toEqual(["/slow", "/slow", "/slow"]);
  });

  it("is not late when it was we who let it wait, and has its time again to send the rest", async () => {
    const { gateway } = await world(1_200, { timeouts: { clientHeadersMs: 300, clientRequestMs: 600 } });
    const post = (body: string) => `POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n${body}`;
    const [whole, half] = await Promise.all([
      exchangeUntil(gateway.url, get("/slow") + post("abcd"), /\/b=abcd;/),
      exchangeUntil(gateway.url, get("/slow") + post("ab"), /never/),
    ]);
    expect(statuses(whole)).toEqual([200, 200]);
    expect(statuses(half)).toEqual([200]);
  });
});
