import { readFile, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CutoverStatus } from "../../../src/contract/cutovers.ts";
import { pgvectorAliases } from "../../../src/drivers/index/pgvector/index.ts";
import { gatewayHeard } from "../../cli/gateway-heard.ts";
import { runSluice, type RunningSluice, startSluice, temporaryFolder } from "../../cli/run-sluice.ts";
import { freePort } from "../../free-port.ts";
import { hasPostgres, hasRedis, startPostgres, startRedis } from "../fence/servers.ts";
import { buildTable } from "../index/pgvector-world.ts";
import { pause } from "../served/world.ts";
import { Jobs, QUEUE } from "./jobs.ts";
import { ragService, type RagService } from "./rag-service.ts";

/** Each kill takes half a minute; `npm run bench:cutover` has fifty. */
const KILLS = Number(process.env["SLUICE_TEST_KILLS"] ?? 1);
const INDEXES = {
  stable: { table: "docs_va", hash: "a".repeat(64) },
  candidate: { table: "docs_vb", hash: "b".repeat(64) },
} as const;

describe.skipIf(!hasRedis() || !hasPostgres())("a cutover of index, queue, cache, effects and traffic", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let servers: readonly [Awaited<ReturnType<typeof startPostgres>>, Awaited<ReturnType<typeof startRedis>>];
  let pool: pg.Pool;
  let redis: Redis;
  let services: readonly RagService[];
  let controller: RunningSluice;
  let gateway: RunningSluice;
  let ports: readonly [controller: number, gateway: number];
  let jobs: Jobs;
  let users: NodeJS.Timeout;
  let [asked, failed] = [0, 0];

  const dataDir = () => join(folder.path, "data");
  const controllerUrl = () => `http://127.0.0.1:${ports[0]}`;
  const startController = async () => {
    controller = startSluice(["serve", "--data", dataDir(), "--port", String(ports[0]), "--json"]);
    await controller.ready;
  };
  const sluice = async (code: number, ...argv: readonly string[]) => {
    const { code: found, stdout, stderr } = await runSluice([...argv, "--data", dataDir()]);
    expect([argv.join(" "), found, found === code ? "" : stderr + stdout]).toEqual([argv.join(" "), code, ""]);
    return stdout;
  };

  beforeAll(async () => {
    [folder, servers, ports] = [
      await temporaryFolder(),
      [await startPostgres(), await startRedis(["--appendonly", "no"])],
      [await freePort(), await freePort()],
    ];
    pool = servers[0].connect();
    redis = new Redis(servers[1].port, "127.0.0.1");
    for (const { table, hash } of Object.values(INDEXES)) {
      const wanted = { count: 20, metric: "cosine", analyzer: "standard", indexHash: hash } as const;
      await buildTable({ client: pool, hasVector: false }, table, wanted);
    }
    services = [
      await ragService("r-stable", INDEXES.stable.hash, redis, pool),
      await ragService("r-candidate", INDEXES.candidate.hash, redis, pool),
    ];
    await startController();
    gateway = startSluice(["gateway", await document("first"), "--data", dataDir(), "--json"]);
    await gateway.ready;
    await gatewayHeard(controllerUrl(), dataDir());
    const aliases = pgvectorAliases({ client: pool });
    await aliases.flip({ alias: "docs_live", from: null, to: "docs_va", epoch: 0 }, AbortSignal.timeout(5_000));
    const token = (await readFile(join(dataDir(), "token"), "utf8")).trim();
    jobs = await Jobs.begin(`redis://127.0.0.1:${servers[1].port}`, controllerUrl(), token);
    users = setInterval(ask, 5);
  }, 180_000);
  afterAll(async () => {
    clearInterval(users);
    await (jobs as Jobs | undefined)?.stop();
    for (const { child, finished } of [gateway, controller].filter((one) => one !== undefined)) {
      child.kill("SIGKILL");
      await finished;
    }
    for (const service of services ?? []) service.close();
    redis?.disconnect();
    await pool?.end();
    for (const server of servers ?? []) await server.stop();
    await folder.remove();
  });

  function ask(): void {
    const question = `/answer?q=${asked % 50}`;
    get(
      `http://127.0.0.1:${ports[1]}${question}`,
      { headers: { "x-user-id": `u-${asked++ % 997}` }, agent: false },
      (answer) => {
        if (answer.statusCode !== 200) failed++;
        answer.resume();
      },
    ).on("error", () => failed++);
  }

  async function document(name: string): Promise<string> {
    const [pgUrl, redisUrl] = [servers[0].url, `redis://127.0.0.1:${servers[1].port}`];
    const path = join(folder.path, `${name}.yaml`);
    await writeFile(
      path,
      `apiVersion: sluice/v1
kind: Rollout
metadata: { name: ${name} }
spec:
  service: desk
  stable: { url: "${services[0]?.url}/answer", release: r-stable }
  candidate: { url: "${services[1]?.url}/answer", release: r-candidate }
  route: { driver: gateway, listen: "127.0.0.1:${ports[1]}", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  index: { driver: pgvector, url: "${pgUrl}", alias: docs_live, from: docs_va, to: docs_vb }
  queue: { driver: redis-streams, url: "${redisUrl}", from: ${QUEUE.from}, to: ${QUEUE.to}, consumers: { from: blue, to: green }, pointer: ${QUEUE.pointer} }
  cache: { driver: redis, url: "${redisUrl}" }
  strategy: { blueGreen: { freeze: 20s, hold: 1s, stepWithin: 20s } }
  gates: [{ use: default }]
`,
    );
    return path;
  }

  const aliasNow = async () =>
    (await pool.query<{ index_name: string }>("select index_name from sluice_index_alias where alias = 'docs_live'"))
      .rows[0]?.index_name;
  const answerNow = async (question: string) =>
    ((await (await fetch(`http://127.0.0.1:${ports[1]}/answer?q=${question}`)).json()) as { answer: string }).answer;

  it("RB-4: moves all of it, read back, and takes all of it back by one command", async () => {
    await sluice(0, "apply", await document("move-1"), "--watch");
    expect([await aliasNow(), await answerNow("new-1")]).toEqual(["docs_vb", "r-candidate by docs_vb"]);
    await sluice(0, "rollback", "move-1");
    expect([await aliasNow(), await answerNow("new-2")]).toEqual(["docs_va", "r-stable by docs_va"]);
  }, 120_000);

  it("CO-1: ends fully on one side after kill -9 at any moment: no request failed, no job lost or done twice, no cache crossed", async () => {
    for (let kill = 1; kill <= KILLS; kill++) await moveAndKill(`move-${kill + 1}`);
    await jobs.finish();
    const crossed = services.map((service) => service.crossed());
    expect([failed, jobs.doubled, crossed]).toEqual([0, 0, [0, 0]]);
    expect([jobs.made > 1_500 * KILLS, asked > 600 * KILLS]).toEqual([true, true]);
  }, 300_000);

  async function moveAndKill(name: string): Promise<void> {
    await sluice(0, "apply", await document(name));
    await pause(300 + Math.random() * 2_500);
    controller.child.kill("SIGKILL");
    await controller.finished;
    await startController();
    const phase = async () => (JSON.parse(await sluice(0, "status", name, "--json")) as CutoverStatus).phase;
    for (let look = 0; look < 200 && !["done", "returned", "holding"].includes(await phase()); look++) await pause(200);
    const arm = (await phase()) === "returned" ? INDEXES.stable : INDEXES.candidate;
    expect(await aliasNow()).toBe(arm.table);
    await sluice(0, "rollback", name);
    expect([await phase(), await aliasNow()]).toEqual(["returned", INDEXES.stable.table]);
  }
});
