import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { driver } from "../../../../src/drivers/queue/jetstream/index.ts";
import { keyOf } from "../../../../src/drivers/queue/jetstream/pointer.ts";
import { GIVES_NOTHING_WHEN_STOPPED, queueConformance } from "../../../../src/testing/queue-suite.ts";
import { recorded } from "../../../conformance/recorded.ts";
import { never, pointerRecord } from "../../../../src/testing/queue-world.ts";
import { hasNats, startNats, type TestServer } from "../../fence/servers.ts";
import { natsWorld } from "./world.ts";

describe.skipIf(!hasNats())("queue/jetstream on a real server", () => {
  let server: TestServer;
  let connection: NatsConnection;
  beforeAll(async () => {
    server = await startNats();
    connection = await connect({ servers: `127.0.0.1:${server.port}` });
  });
  afterAll(async () => {
    await connection.close();
    await server.stop();
  });
  const waived = {
    [GIVES_NOTHING_WHEN_STOPPED]: "JetStream 2.9 cannot pause a consumer: workers stop when they read the pointer",
  };
  const of = { port: "queue", product: "jetstream", against: "real", with: "nats-server 2.9.10" } as const;
  const record = recorded(of, it, waived);
  queueConformance(() => natsWorld(connection), record.it, waived);
  record.keep(async () => (await natsWorld(connection).open("server")).can);

  it("keeps what a durable was made with when it is made anew at another sequence", async () => {
    const ask = async (what: string, body: unknown) =>
      (await connection.request(`$JS.API.${what}`, JSON.stringify(body))).json<{ config: Record<string, unknown> }>();
    await ask("STREAM.CREATE.kept", { name: "kept", subjects: ["kept.>"], storage: "memory" });
    const config = { durable_name: "green", ack_policy: "explicit", filter_subject: "kept.a", max_ack_pending: 7 };
    await ask("CONSUMER.DURABLE.CREATE.kept.green", { stream_name: "kept", config });
    const queue = await driver.open({ url: `nats://127.0.0.1:${server.port}`, secretFile: null });
    await queue.start("kept", "green", { after: { "0": "41" }, epoch: 3 }, never);
    const found = (await ask("CONSUMER.INFO.kept.green", {})).config;
    expect(found).toMatchObject({ ...config, deliver_policy: "by_start_sequence", opt_start_seq: 42 });
    await queue.close();
  });

  it("keeps the pointer in a bucket that it makes, and connects when it is first asked", async () => {
    const queue = await driver.open({ url: `nats://127.0.0.1:${server.port}`, secretFile: null });
    const record = pointerRecord({ consumer: "green" });
    expect(await queue.movePointer("opened", record, never)).toEqual({ kind: "moved" });
    expect(await queue.readPointer("opened", never)).toEqual(record);
    await queue.close();
  });

  it("says rejected of a stream that is not there", async () => {
    const queue = await driver.open({ url: `nats://127.0.0.1:${server.port}`, secretFile: null });
    await expect(queue.end("nowhere", never)).rejects.toMatchObject({ code: "rejected", retry: "never" });
    await queue.close();
  });

  it("writes any name of a pointer as a key, two names never as one", () => {
    expect([keyOf("jobs"), keyOf("a:b"), keyOf("a=3ab"), keyOf("ü")]).toEqual(["jobs", "a=3ab", "a=3d3ab", "=c3=bc"]);
  });
});
