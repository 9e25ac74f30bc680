import { readFile } from "node:fs/promises";
import { get } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gatewayHeard } from "../../cli/gateway-heard.ts";
import { hasRedis, startRedis, type TestServer } from "../fence/servers.ts";
import { Served } from "../served/world.ts";
import { Jobs, QUEUE } from "./jobs.ts";

const STRATEGY = "{ blueGreen: { freeze: 20s, hold: 1s, stepWithin: 20s } }";

describe.skipIf(!hasRedis())("a cutover with a queue of 500 jobs and 200 requests a second", () => {
  let served: Served;
  let redis: TestServer;
  let jobs: Jobs;
  let users: NodeJS.Timeout;
  const redisUrl = () => `redis://127.0.0.1:${redis.port}`;
  let [asked, failed] = [0, 0];

  beforeAll(async () => {
    redis = await startRedis(["--appendonly", "no"]);
    served = await Served.open(15_000);
    await gatewayHeard(served.controllerUrl, served.dataDir);
    const token = (await readFile(`${served.dataDir}/token`, "utf8")).trim();
    jobs = await Jobs.begin(redisUrl(), served.controllerUrl, token);
    users = setInterval(() => {
      get(
        `http://127.0.0.1:${served.gatewayPort}/`,
        { headers: { "x-user-id": `u-${asked++}` }, agent: false },
        (answer) => {
          if (answer.statusCode !== 200) failed++;
          answer.resume();
        },
      ).on("error", () => failed++);
    }, 5);
  }, 120_000);
  afterAll(async () => {
    clearInterval(users);
    await (jobs as Jobs | undefined)?.stop();
    await (served as Served | undefined)?.close();
    await (redis as TestServer | undefined)?.stop();
  });

  const document = (name: string) => {
    const { from, to, pointer } = QUEUE;
    const queue = `  queue: { driver: redis-streams, url: "${redisUrl()}", from: ${from}, to: ${to}, consumers: { from: blue, to: green }, pointer: ${pointer} }\n`;
    return served.documentOf(name, STRATEGY, served.gatewayPort, queue);
  };
  it("moves consumers and producers, and back again: no job lost, none twice", async () => {
    await served.must(0, "apply", await document("move-1"), "--watch");
    const before = jobs.by("r-candidate");
    await served.until("jobs done by the candidate", async () => jobs.by("r-candidate") > before + 200);
    await served.must(0, "rollback", "move-1");
    const back = jobs.by("r-stable");
    await served.until("jobs done by stable", async () => jobs.by("r-stable") > back + 200);
    await jobs.finish();
    expect([failed, jobs.doubled]).toEqual([0, 0]);
    expect(jobs.made).toBeGreaterThan(2_000);
    expect(asked).toBeGreaterThan(1_000);
  }, 300_000);
});
