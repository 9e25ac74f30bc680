import { readFile } from "node:fs/promises";
import { get } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gatewayHeard } from "../../cli/gateway-heard.ts";
import { pause, Served, SERVICE } from "../served/world.ts";
import { Sink, Workers } from "./workers.ts";

const RELEASES = ["r-stable", "r-candidate"] as const;
const STRATEGY = "{ blueGreen: { effects: true, freeze: 15s, hold: 1s, stepWithin: 20s } }";

let served: Served;
let workers: Workers;
const sink = new Sink();
let [asked, failed] = [0, 0];
let users: NodeJS.Timeout;

beforeAll(async () => {
  served = await Served.open(15_000);
  await gatewayHeard(served.controllerUrl, served.dataDir);
  const token = (await readFile(`${served.dataDir}/token`, "utf8")).trim();
  workers = new Workers(served.controllerUrl, token, SERVICE, RELEASES, sink);
  users = setInterval(ask, 5);
}, 120_000);
afterAll(async () => {
  clearInterval(users);
  await (workers as Workers | undefined)?.stop();
  await (served as Served | undefined)?.close();
});

/** One of 200 users a second, on a connection of his own. */
function ask(): void {
  const headers = { "x-user-id": `user-${asked++ % 997}` };
  get(`http://127.0.0.1:${served.gatewayPort}/`, { headers, agent: false }, (response) => {
    if (response.statusCode !== 200) failed++;
    response.resume();
  }).on("error", () => failed++);
}

/** What the next user is answered with: each release says its name. */
async function answerNow(): Promise<string> {
  return (await fetch(`http://127.0.0.1:${served.gatewayPort}/`)).text();
}

/** Who acts now: releases with an effect in the last moment. */
async function actingNow(): Promise<readonly string[]> {
  const sinceMs = performance.now();
  await pause(300);
  return [...new Set(sink.effects.filter(({ atMs }) => atMs > sinceMs).map(({ release }) => release))];
}

const acts = (release: string) => async () => {
  const acting = await actingNow();
  return acting.length === 1 && acting[0] === release;
};

describe("a cutover of traffic and effects under 200 requests a second", () => {
  it("moves everybody and the effects, fails no request, and goes back by one command", async () => {
    await served.must(0, "apply", await served.documentOf("first-move", STRATEGY), "--watch");
    expect(await answerNow()).toBe("candidate");
    await served.until("effects of the candidate", acts("r-candidate"));
    await served.must(0, "rollback", "first-move");
    await served.until("effects of stable", acts("r-stable"));
    expect([failed, sink.overlaps]).toEqual([0, 0]);
    expect(await answerNow()).toBe("stable");
  }, 120_000);
});
