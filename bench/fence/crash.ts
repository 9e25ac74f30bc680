// The crash matrix at full size: 1 000 000 deliveries in memory, 100 000 on PostgreSQL and Redis, 20 000 on the DynamoDB
// contract fake. SCALE=0.1 runs a tenth. The Durable Object runs in test/runtime/workerd (EVENTS=4000 npm test).
//   node bench/fence/run.mjs crash [memory|dynamodb|postgres|redis ...]
import { Redis } from "ioredis";
import { dynamoFence } from "../../src/drivers/fence/dynamodb/driver.ts";
import { fakeDynamo } from "../../src/drivers/fence/dynamodb/fake.ts";
import { postgresFence } from "../../src/drivers/fence/postgres/index.ts";
import { redisFence } from "../../src/drivers/fence/redis/index.ts";
import { memoryFence } from "../../src/fence/memory-store.ts";
import { systemClock } from "../../src/fence/system.ts";
import { type Clock, clockBySleep } from "../../src/ports/clock.ts";
import { type CrashPlan, type CrashWorld, runCrashMatrix } from "../../src/testing/fence-crash.ts";
import { startPostgres, startRedis } from "../../test/integration/fence/servers.ts";

const SCALE = Number(process.env["SCALE"] ?? 1);
const SEED = Number(process.env["SEED"] ?? 1);
const base = { seed: SEED, copies: 5, crashShare: 0.2, prefix: "x" };

function virtual(open: (clock: Clock) => ReturnType<CrashWorld["open"]>): CrashWorld {
  let nowMs = 1_000;
  const clock: Clock = clockBySleep({
    wallMs: () => nowMs as ReturnType<Clock["wallMs"]>,
    monoMs: () => nowMs,
    sleep: (_, signal) => new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true })),
  });
  const advance = async (ms: number) => void (nowMs += ms);
  return { open: () => open(clock), clock, advance, tick: () => void (nowMs += 0.05) };
}

async function run(name: string, world: CrashWorld, plan: CrashPlan): Promise<void> {
  const startMs = performance.now();
  const report = await runCrashMatrix(world, plan);
  const { deliveries, duplicates, lost, doubleCommits } = report;
  const isGood = duplicates + lost + doubleCommits === 0;
  const tookS = ((performance.now() - startMs) / 1_000).toFixed(1);
  console.log(
    `${isGood ? "passed" : "FAILED"} ${name}: ${deliveries} deliveries, seed ${plan.seed}, ${tookS} s: ${JSON.stringify(report)}`,
  );
  if (!isGood) process.exitCode = 1;
}

const real = (open: CrashWorld["open"]): CrashWorld => ({
  open,
  clock: systemClock,
  advance: (ms) => systemClock.sleep(ms),
});

const stores: Readonly<Record<string, () => Promise<void>>> = {
  async memory() {
    const records = new Map();
    await run(
      "memory",
      virtual((clock) => memoryFence(clock, records)),
      { ...base, events: 200_000 * SCALE, workers: 32, leaseMs: 100 },
    );
  },
  async dynamodb() {
    const client = fakeDynamo(["fence"], () => new Promise((resolve) => setImmediate(resolve)));
    const open = (clock: Clock) => dynamoFence({ client, table: "fence", clock, clockSkewMs: 0 });
    await run("dynamodb (contract fake)", virtual(open), { ...base, events: 4_000 * SCALE, workers: 32, leaseMs: 100 });
  },
  async postgres() {
    const server = await startPostgres();
    const pools = { blue: server.connect(), green: server.connect() };
    await postgresFence({ client: pools.blue }).migrate();
    await run(
      "postgres",
      real((arm) => postgresFence({ client: pools[arm] })),
      { ...base, events: 20_000 * SCALE, workers: 64, leaseMs: 500 },
    );
    await Promise.all([pools.blue.end(), pools.green.end()]);
    await server.stop();
  },
  async redis() {
    const server = await startRedis();
    const clients = { blue: new Redis(server.port, "127.0.0.1"), green: new Redis(server.port, "127.0.0.1") };
    await run(
      "redis",
      real((arm) => redisFence({ client: clients[arm] })),
      { ...base, events: 20_000 * SCALE, workers: 64, leaseMs: 500 },
    );
    for (const client of Object.values(clients)) client.disconnect();
    await server.stop();
  },
};

const wanted = process.argv.slice(3);
for (const name of wanted.length > 0 ? wanted : Object.keys(stores)) {
  const start = stores[name];
  if (start === undefined) throw new Error(`unknown store ${name}; known: ${Object.keys(stores).join(", ")}`);
  await start();
}
