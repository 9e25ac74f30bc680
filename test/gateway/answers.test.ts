import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { NO_TERMS } from "../../src/core/routing/document.ts";
import { bp } from "../../src/core/unit.ts";
import { type Signal, SIGNALS } from "../../src/core/window/signals.ts";
import { admitWindow } from "../../src/core/window/admit-window.ts";
import { SIGNAL_MET_ROW, SIGNAL_ROW, type TelemetryWindow } from "../../src/core/window/window.ts";
import type { GatewayOptions } from "../../src/gateway/options.ts";
import { closedAfterEach } from "./closed-after-each.ts";
import { aDocument, aGateway, anOrigin, eventually, get } from "./world.ts";

const open = closedAfterEach();

type Answer = Parameters<typeof anOrigin>[0];

/** A gateway before one service, and the way to what it counted since the last cut. */
async function watched(answer: Answer, signals: readonly Signal[] | undefined, parts: Partial<GatewayOptions> = {}) {
  const origin = await anOrigin(answer);
  open.push(() => origin.close());
  const windows: TelemetryWindow[] = [];
  // So small a share that everybody is on stable, and drawn.
  const share = { ...NO_TERMS, version: 2, candidateBp: bp(1) } as const;
  const over = { ...share, drainMs: 500, ...(signals === undefined ? {} : { signals }) };
  const document = aDocument(origin.url, origin.url, over);
  const gateway = await aGateway(document, { onWindow: (window) => windows.push(window), ...parts });
  open.push(() => gateway.drain());
  let { seq } = document;
  const cut = async (): Promise<TelemetryWindow> => {
    await eventually(() => gateway.stats().inFlight === 0);
    gateway.adopt({ ...document, seq: ++seq });
    return windows.at(-1) as TelemetryWindow;
  };
  return {
    gateway,
    origin,
    cut,
    ask: (path: string, user = "u1") => get(`${gateway.url}${path}`, { headers: { "x-user-id": user } }),
  };
}

const says = (word: unknown) => ({ "x-sluice-event": JSON.stringify(word) });

describe("what answers are told to be", () => {
  it("is counted for the arm and, by signal, for each user: once in the window, whatever the kind of word", async () => {
    const { ask, cut } = await watched((seen, res) => {
      const usage = { input_tokens: 800, output_tokens: 100, cost: 0.002 };
      const finish_reason = seen.url === "/cut" ? "length" : seen.url === "/no" ? "content_filter" : "stop";
      res.writeHead(200, says({ usage, answer: { finish_reason } })).end("text");
    }, SIGNALS);
    for (const path of ["/a", "/cut", "/no"]) await ask(path);
    await ask("/a", "u2");
    const window = await cut();
    expect(admitWindow(JSON.parse(JSON.stringify(window)))).toEqual(window);
    expect(window.arms.stable.gauges).toEqual({
      refusalRate: { sum: 1, readings: 4 },
      truncationRate: { sum: 1, readings: 4 },
      emptyRate: { sum: 0, readings: 4 },
      tokensIn: { sum: 3_200, readings: 4 },
      tokensOut: { sum: 400, readings: 4 },
      costPerAnswer: { sum: 0.008, readings: 4 },
      abandonedRate: { sum: 0, readings: 4 },
      firstTokenMs: { sum: expect.any(Number), readings: 4 },
    });
    const { names = [], arms } = window.units?.signals ?? {};
    const { rows = [], met = [] } = arms?.stable ?? {};
    const ofSignal = (signal: Signal) =>
      Array.from({ length: rows.length / SIGNAL_ROW }, (_, at) => rows.slice(at * SIGNAL_ROW, (at + 1) * SIGNAL_ROW))
        .filter(([, place = -1]) => names[place] === signal)
        .map(([, , answers, sum]) => [answers, sum]);
    expect(ofSignal("costPerAnswer")).toEqual([
      [3, 6_000],
      [1, 2_000],
    ]);
    expect(ofSignal("truncationRate")).toEqual([
      [3, 1],
      [1, 0],
    ]);
    expect(ofSignal("thumbsDownRate")).toEqual([
      [3, 0],
      [1, 0],
    ]);
    const events = Array.from(
      { length: met.length / SIGNAL_MET_ROW },
      (_, at) => names[met[at * SIGNAL_MET_ROW + 2] ?? -1],
    );
    expect(events).toEqual(["truncationRate", "refusalRate"]);
  });

  it("of feedback counts for the release it is about, and for no other", async () => {
    let feedback: unknown = {};
    const { ask, cut } = await watched(
      (_seen, res) => res.writeHead(204, says({ feedback })).end(),
      ["thumbsDownRate", "regenerationRate"],
    );
    for (const one of [
      { thumbs_down: true },
      { thumbs_down: true, release: "another" },
      { thumbs_down: false, regenerated: true, release: "rel-a" },
    ]) {
      feedback = one;
      await ask("/feedback");
    }
    expect((await cut()).arms.stable.gauges).toEqual({
      thumbsDownRate: { sum: 1, readings: 2 },
      regenerationRate: { sum: 1, readings: 1 },
    });
  });

  it("is not looked at where no gate asks: no count, no user, no row", async () => {
    const word = says({ usage: { cost: 1 }, answer: { refused: true }, feedback: { thumbs_down: true } });
    const { ask, cut } = await watched((_seen, res) => res.writeHead(200, word).end(), undefined);
    await ask("/");
    const { arms, units } = await cut();
    expect([arms.stable.gauges, units?.signals]).toEqual([{}, undefined]);
  });

  it("of one user counts at most 20 times a minute, like his requests", async () => {
    const { ask, cut } = await watched(
      (_seen, res) => res.writeHead(200, says({ usage: { cost: 1 } })).end("x"),
      ["costPerAnswer"],
    );
    for (let index = 0; index < 25; index++) await ask("/");
    expect((await cut()).arms.stable.gauges).toEqual({ costPerAnswer: { sum: 20, readings: 20 } });
  });
});

describe("what the gateway sees of answers", () => {
  it("is an empty one, of status 200 and by GET alone; the service's own word goes before", async () => {
    const { ask, cut, gateway } = await watched(
      (seen, res) => {
        const headers = seen.url === "/says" ? says({ answer: { empty: true } }) : {};
        res
          .writeHead(seen.url === "/404" ? 404 : 200, headers)
          .end(seen.url === "/full" || seen.url === "/says" ? "text" : "");
      },
      ["emptyRate"],
    );
    for (const path of ["/empty", "/full", "/404", "/says"]) await ask(path);
    await get(`${gateway.url}/full`, { method: "HEAD" });
    expect((await cut()).arms.stable.gauges).toEqual({ emptyRate: { sum: 2, readings: 3 } });
  });

  it("is the time to the first piece of a stream, and the user who leaves before its end", async () => {
    const { ask, cut, gateway, origin } = await watched(
      (seen, res) => {
        if (seen.url === "/plain") return void res.writeHead(200, { "content-length": "4" }).end("text");
        res.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
        setTimeout(() => res.write("data: 1\n\n"), 60);
        if (seen.url === "/whole") setTimeout(() => res.end(), 80);
      },
      ["firstTokenMs", "abandonedRate"],
    );
    for (const path of ["/plain", "/whole"]) await ask(path);
    const left = request(`${gateway.url}/left`, (res) => res.once("data", () => left.destroy())).on("error", () => {});
    left.end();
    await eventually(() => origin.seen.length === 3 && left.destroyed);
    const { gauges } = (await cut()).arms.stable;
    expect(gauges.abandonedRate).toEqual({ sum: 1, readings: 2 });
    expect(gauges.firstTokenMs?.readings).toBe(2);
    const mean = (gauges.firstTokenMs?.sum ?? 0) / 2;
    expect(mean).toBeGreaterThan(50);
    expect(mean).toBeLessThan(2_000);
  });

  it("is no abandoned stream where the service cut it", async () => {
    const { ask, cut } = await watched(
      (_seen, res, req) => {
        res.writeHead(200).write("part", () => req.socket.destroy());
      },
      ["abandonedRate"],
    );
    await ask("/").catch(() => {});
    const { failures, gauges } = (await cut()).arms.stable;
    expect([failures, gauges]).toEqual([1, {}]);
  });
});

describe("the event log", () => {
  it("has the words of answers and what was seen of them, as `sluice judge` reads them", async () => {
    let lines = "";
    const word = { usage: { input_tokens: 3, cost: 0.1 }, answer: { refused: false }, feedback: { regenerated: true } };
    const { ask } = await watched(
      (_seen, res) => {
        res.writeHead(200, says(word)).write("a");
        setTimeout(() => res.end("b"), 20);
      },
      undefined,
      { events: (text) => (lines += text) },
    );
    await ask("/");
    await eventually(() => lines !== "");
    const event = JSON.parse(lines) as Record<string, unknown>;
    expect(event).toMatchObject({ ...word, answer: { empty: false, refused: false }, stream: { abandoned: false } });
  });
});
