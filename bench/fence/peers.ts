// What each library loses or doubles under the same faults. The effect is a plain counter: nothing downstream removes
// duplicates. Each library is configured for its strictest documented behaviour.
//   node bench/fence/run.mjs peers
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { CachePersistenceLayer } from "@aws-lambda-powertools/idempotency/cache";
import express from "express";
import expressPeer from "express-idempotency";
import { Redis } from "ioredis";
import { redisFence } from "../../src/drivers/fence/redis/index.ts";
import { once } from "../../src/fence/once.ts";
import { startRedis, type TestServer } from "../../test/integration/fence/servers.ts";

const LEASE_MS = 300;
type Work = () => Promise<string>;

interface Contender {
  readonly name: string;
  /** Sends one request; the answer as text: what a caller would see. */
  send(key: string, payload: string, work: Work): Promise<string>;
  /** The same from a process that dies once its effect ran: nothing of it reaches the store any more. */
  sendAndDie(key: string, work: Work): void;
  /** The same with the store switched off; null where the library has none to switch off. */
  readonly sendWithoutStore: ((key: string, work: Work) => Promise<string>) | null;
  close(): Promise<void>;
}

const wordOf = (error: unknown) =>
  error instanceof Error ? error.name.replace(/^Idempotency|Error$/g, "") || error.message : "error";

function sluice(server: TestServer): Contender {
  const client = new Redis(server.port, "127.0.0.1");
  const dead = new Redis(1, "127.0.0.1", { retryStrategy: () => null, maxRetriesPerRequest: 0 }).on("error", () => {});
  const send = async (redis: Redis, key: string, payload: string, work: Work) => {
    const options = { store: redisFence({ client: redis }), leaseMs: LEASE_MS };
    const outcome = await once(options, { scope: "peers", key, fingerprint: payload }, work).catch((error) => ({
      kind: wordOf(error),
    }));
    return "result" in outcome ? String(outcome.result) : outcome.kind;
  };
  const close = async () => (client.disconnect(), dead.disconnect());
  const sendAndDie = (key: string, work: Work) => {
    const own = new Redis(server.port, "127.0.0.1", { retryStrategy: () => null }).on("error", () => {});
    void send(own, key, "p", async () => (await work(), own.disconnect(), never())); // Its renewals end with it.
  };
  return {
    sendAndDie,
    name: "sluice/fence on Redis",
    send: (...given) => send(client, ...given),
    sendWithoutStore: (key, work) => send(dead, key, "p", work),
    close,
  };
}

/** Its Redis layer loses the payload digest when it stores a result, so it is shown with validation off and on. */
function powertools(server: TestServer, validates: boolean): Contender {
  process.env["AWS_LAMBDA_FUNCTION_NAME"] = "bench";
  const redis = new Redis(server.port, "127.0.0.1");
  const dead = new Redis(1, "127.0.0.1", { retryStrategy: () => null, maxRetriesPerRequest: 0 }).on("error", () => {});
  const layerOn = (to: Redis) =>
    new CachePersistenceLayer({
      client: {
        get: (name) => to.get(name),
        set: async (name, value, options) => {
          const { EX = 0, NX = false } = (options ?? {}) as { EX?: number; NX?: boolean };
          const [key, text] = [String(name), String(value)];
          return NX ? to.set(key, text, "EX", EX, "NX") : to.set(key, text, "EX", EX);
        },
        del: (names) => to.del(...names),
      },
    });
  const send = async (to: Redis, key: string, payload: string, work: Work) => {
    const config = new IdempotencyConfig({
      eventKeyJmesPath: "key",
      ...(validates ? { payloadValidationJmesPath: "payload" } : {}),
      throwOnNoIdempotencyKey: true,
    });
    config.registerLambdaContext({ getRemainingTimeInMillis: () => LEASE_MS } as never); // Its in-progress time.
    const run = makeIdempotent(async (_event: { key: string; payload: string }) => work(), {
      persistenceStore: layerOn(to),
      config,
    });
    return run({ key, payload }).then(String, wordOf);
  };
  const close = async () => (redis.disconnect(), dead.disconnect());
  return {
    name: `@aws-lambda-powertools/idempotency 2.35 on Redis${validates ? ", payload validation" : ""}`,
    sendAndDie: (key, work) => void send(redis, key, "p", async () => (await work(), never())).catch(() => null),
    send: (...given) => send(redis, ...given),
    sendWithoutStore: (key, work) => send(dead, key, "p", work),
    close,
  };
}

async function expressIdempotencyPeer(): Promise<Contender> {
  const works = new Map<string, Work>();
  const app = express().set("env", "test"); // Express prints no stack of an answered error then.
  app.use(express.json());
  app.use(expressPeer.idempotency());
  app.post("/", async (req, res) => {
    const service = expressPeer.getSharedIdempotencyService();
    if (service.isHit(req)) return;
    const work = works.get(String(req.headers["x-work"])) as Work;
    try {
      res.send(await work());
    } catch (error) {
      await service.reportError(req); // As its README asks of a failing handler.
      res.status(500).send(wordOf(error));
    }
  });
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  let requests = 0;
  const contender: Contender = {
    name: "express-idempotency 1.0 in memory",
    sendAndDie: (key, work) => void contender.send(key, "p", async () => (await work(), never())).catch(() => null),
    async send(key, payload, work) {
      const id = `${++requests}`;
      works.set(id, work);
      const headers = { "idempotency-key": key, "content-type": "application/json", "x-work": id };
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        method: "POST",
        headers,
        body: JSON.stringify({ payload }),
      });
      const text = await answer.text();
      return answer.ok ? text : `${answer.status}`;
    },
    sendWithoutStore: null,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return contender;
}

/** A fault played once: how often the effect ran, and what the callers saw, in order. */
type Scenario = (
  contender: Contender,
  key: string,
) => Promise<{ readonly effects: number; readonly seen: readonly string[] }>;

function effectCounter() {
  let effects = 0;
  const run =
    (answer: string, afterwards: () => Promise<unknown> = async () => {}) =>
    async () => {
      effects++;
      await afterwards();
      return answer;
    };
  return { run, effects: () => effects };
}

/** Waits until `work` was entered, or the time is over (the library refused). */
const entered = () => sleep(60);
const never = () => new Promise<never>(() => {});
const leaseOver = () => sleep(LEASE_MS + 150);

const scenarios: Readonly<Record<string, Scenario>> = {
  "64 at once": async (contender, key) => {
    const count = effectCounter();
    const answers = await Promise.all(
      Array.from({ length: 64 }, () =>
        contender.send(
          key,
          "p",
          count.run("ok", () => sleep(50)),
        ),
      ),
    );
    return { effects: count.effects(), seen: [`${answers.filter((answer) => answer === "ok").length} ok`] };
  },
  "sent again when done": async (contender, key) => {
    const count = effectCounter();
    return {
      seen: [await contender.send(key, "p", count.run("first")), await contender.send(key, "p", count.run("second"))],
      effects: count.effects(),
    };
  },
  "same key, other payload": async (contender, key) => {
    const count = effectCounter();
    return {
      seen: [await contender.send(key, "p", count.run("first")), await contender.send(key, "q", count.run("second"))],
      effects: count.effects(),
    };
  },
  "process died after the effect": async (contender, key) => {
    const count = effectCounter();
    contender.sendAndDie(key, count.run("died"));
    await leaseOver();
    const again = contender.send(key, "p", count.run("second"));
    return { seen: [await Promise.race([again, sleep(1_000, "no answer")])], effects: count.effects() };
  },
  "handler failed after the effect": async (contender, key) => {
    const count = effectCounter();
    const fail = count.run("", () => Promise.reject(new Error("failed")));
    return {
      seen: [await contender.send(key, "p", fail), await contender.send(key, "p", count.run("second"))],
      effects: count.effects(),
    };
  },
  "paused, others came, resumes and succeeds": async (contender, key) => paused(contender, key, async () => {}),
  "paused, others came, resumes and fails": async (contender, key) =>
    paused(contender, key, () => Promise.reject(new Error("failed"))),
  "store unreachable": async (contender, key) => {
    const count = effectCounter();
    if (contender.sendWithoutStore === null) return { effects: 0, seen: ["no store"] };
    return { seen: [await contender.sendWithoutStore(key, count.run("ran"))], effects: count.effects() };
  },
};

/** The owner's process stands still beyond its lease (its event loop too: what renews a lease cannot run either). */
async function paused(contender: Contender, key: string, ending: () => Promise<unknown>) {
  const count = effectCounter();
  let resume: () => void = () => {};
  const gate = new Promise<void>((resolve) => (resume = resolve));
  const first = contender.send(
    key,
    "p",
    count.run("paused", () => gate.then(ending)),
  );
  await entered();
  const until = performance.now() + LEASE_MS + 150;
  while (performance.now() < until); // Stands still.
  const second = await Promise.race([contender.send(key, "p", count.run("second")), sleep(1_000, "no answer")]);
  resume();
  const firstSaw = await Promise.race([first, sleep(1_000, "no answer")]);
  const third = await Promise.race([contender.send(key, "p", count.run("third")), sleep(1_000, "no answer")]);
  return { seen: [firstSaw, second, third], effects: count.effects() };
}

const server = await startRedis();
const contenders = [
  sluice(server),
  powertools(server, false),
  powertools(server, true),
  await expressIdempotencyPeer(),
];
console.log("| fault (one effect is right) | contender | effects | what the callers saw |\n|---|---|---|---|");
for (const [fault, play] of Object.entries(scenarios)) {
  for (const contender of contenders) {
    const { effects, seen } = await play(contender, `${fault}-${contender.name}`);
    const doubled = effects > 1 ? ` (**${effects - 1} too many**)` : "";
    console.log(`| ${fault} | ${contender.name} | ${effects}${doubled} | ${seen.join(" · ")} |`);
  }
}
for (const contender of contenders) await contender.close();
await server.stop();
process.exit(0); // The died processes of the scenarios never end by themselves.
