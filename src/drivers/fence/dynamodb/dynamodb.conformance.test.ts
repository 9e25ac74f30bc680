import { describe, expect, it } from "vitest";
import { fenceConformance, type FenceWorld } from "../../../testing/fence-suite.ts";
import { manualClock } from "../../../testing/manual-clock.ts";
import { dynamoFence } from "./driver.ts";
import { fakeDynamo } from "./fake.ts";

const S20 = "S20: a caller whose wall clock is ten years off gains and loses no lease";

function world(): FenceWorld {
  const [own, client] = [manualClock(), fakeDynamo(["fence"])];
  const open = (clock = own as Pick<typeof own, "wallMs">) =>
    dynamoFence({ client, table: "fence", clock, clockSkewMs: 0 });
  return { open, advance: own.advance, prefix: "d", leaseMs: 200 };
}

describe("fence/dynamodb on the contract fake", () => {
  fenceConformance(world, it, { [S20]: "DynamoDB has no clock to ask; lease ends are read by callers' wall clocks" });

  it("gives a fast clock no second owner: it takes over early, and the first owner can no longer complete", async () => {
    const { open } = world();
    const claim = {
      scope: "s",
      key: "k",
      fingerprint: "",
      leaseMs: 10_000,
      effectKey: "e",
      note: "",
      kind: "work",
      observed: null,
    } as const;
    const [slow, fast] = [open(), open(manualClock(4_000_000_000_000))];
    const first = await slow.claim({ ...claim, attemptId: "first" });
    const second = await fast.claim({ ...claim, attemptId: "second" });
    expect([first.kind, second.kind]).toEqual(["held", "held"]);
    const owner = { scope: "s", key: "k", attemptId: "first", token: (first as { token: number }).token };
    expect(await slow.complete(owner, '"late"', 1_000)).toBe("superseded");
  });

  it("waits the allowed clock difference beyond a lease, and not at all for a lease its owner ended", async () => {
    const clock = manualClock();
    const store = dynamoFence({ client: fakeDynamo(["fence"]), table: "fence", clock, clockSkewMs: 2_000 });
    const claim = {
      scope: "s",
      fingerprint: "",
      leaseMs: 1_000,
      effectKey: "e",
      note: "",
      kind: "work",
      observed: null,
    } as const;
    await store.claim({ ...claim, key: "k", attemptId: "a" });
    await clock.advance(2_999);
    expect((await store.claim({ ...claim, key: "k", attemptId: "b" })).kind).toBe("busy");
    await clock.advance(1);
    expect((await store.claim({ ...claim, key: "k", attemptId: "b" })).kind).toBe("held");
    const ended = await store.claim({ ...claim, key: "ended", attemptId: "a" });
    await store.renew({ scope: "s", key: "ended", attemptId: "a", token: (ended as { token: number }).token }, 0, null);
    expect((await store.claim({ ...claim, key: "ended", attemptId: "b" })).kind).toBe("held");
  });
});

describe("the DynamoDB contract fake", () => {
  it("refuses what the service would refuse: undeclared names, unused names, unknown tables, items over 400 KB", async () => {
    const client = fakeDynamo(["t"]);
    const Item = { pk: { S: "a" } };
    const refused = [
      client.putItem({ TableName: "t", Item, ConditionExpression: "attribute_not_exists(#pk)" }),
      client.putItem({ TableName: "t", Item, ExpressionAttributeNames: { "#pk": "pk" } }),
      client.putItem({ TableName: "other", Item }),
      client.putItem({ TableName: "t", Item: { pk: { S: "a" }, result: { S: "x".repeat(410_000) } } }),
      client.putItem({ TableName: "t", Item: { pk: { S: "" } } }),
    ];
    const names = await Promise.all(
      refused.map((call) =>
        call.then(
          () => "accepted",
          (error: Error) => error.name,
        ),
      ),
    );
    const [bad, gone] = ["ValidationException", "ResourceNotFoundException"];
    expect(names).toEqual([bad, bad, gone, bad, bad]);
  });
});
