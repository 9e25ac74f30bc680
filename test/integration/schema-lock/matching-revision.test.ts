import { Agent } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RoutingDocument } from "../../../src/core/routing/document.ts";
import type { Serves } from "../../../src/core/routing/schema-lock.ts";
import { pinHeaders } from "../../../src/fence/schema-lock/index.ts";
import { get } from "../../gateway/world.ts";
import { aGatewayPlane, aLockedDocument, anEdgeRouter, aRevision, type DataPlane, type Revision } from "./pair.ts";

const TAG = "acme/m@3#1f2e3d4c";
const BLUE: Serves = { schemaRev: { min: "sc-10", max: "sc-12" }, indexHash: ["9a77"], modelTag: [TAG] };
const GREEN: Serves = { schemaRev: { min: "sc-12", max: "sc-14" }, indexHash: ["9a77", "41cc"], modelTag: [TAG] };
const PLANES: readonly (readonly [string, (document: RoutingDocument) => Promise<DataPlane>])[] = [
  ["edge router", anEdgeRouter],
  ["gateway", aGatewayPlane],
];

let blue: Revision;
let green: Revision;
beforeAll(async () => {
  [blue, green] = [await aRevision("blue", BLUE), await aRevision("green", GREEN)];
});
afterAll(async () => {
  await Promise.all([blue.close(), green.close()]);
});

describe.each(PLANES)("blue sc-10..12 and green sc-12..14 behind the %s", (_, start) => {
  let plane: DataPlane;
  let seq = 1;
  beforeAll(async () => {
    plane = await start(documentAt(5_000));
  });
  afterAll(() => plane.close());

  const documentAt = (candidateBp: number, parts: Partial<RoutingDocument> = {}) =>
    aLockedDocument({ ...blue, serves: BLUE }, { ...green, serves: GREEN }, candidateBp, { seq: seq++, ...parts });
  const ask = async (schemaRev: string | null, indexHash = "9a77", more: Record<string, string> = {}) => {
    const headers = { "x-user-id": "u1", ...pinHeaders({ schemaRev, indexHash, modelTag: TAG }), ...more };
    const got = await get(`${plane.url}/answer`, { method: "POST", headers }, '{"question":"?"}');
    return { ...got, json: JSON.parse(got.body) as Record<string, unknown> };
  };
  const revisionOf = async (schemaRev: string) => (await ask(schemaRev)).json["revision"];

  it.each([0, 100, 5_000, 10_000])(
    "SL-3, RT-18: at %i bp sc-14 goes to green and sc-10 to blue",
    async (candidateBp) => {
      plane.publish(documentAt(candidateBp));
      expect([await revisionOf("sc-14"), await revisionOf("sc-13")]).toEqual(["green", "green"]);
      expect([await revisionOf("sc-10"), await revisionOf("sc-11")]).toEqual(["blue", "blue"]);
      if (candidateBp === 0) expect(await revisionOf("sc-12")).toBe("blue");
      if (candidateBp === 10_000) expect(await revisionOf("sc-12")).toBe("green");
    },
  );

  it("SL-2: refuses sc-9 and sc-15 itself, in words a router can act on; neither revision hears of it", async () => {
    const before = [blue.executed.length, green.executed.length];
    for (const schemaRev of ["sc-9", "sc-15"]) {
      const { status, headers, json } = await ask(schemaRev);
      expect([status, headers["content-type"], headers["retry-after"]]).toEqual([
        409,
        "application/problem+json",
        undefined,
      ]);
      expect(json).toMatchObject({
        type: "urn:sluice:problem:no-matching-revision",
        differences: [
          { arm: "stable", field: "schemaRev", wanted: schemaRev, serves: { min: "sc-10", max: "sc-12" } },
          { arm: "candidate", field: "schemaRev", wanted: schemaRev, serves: { min: "sc-12", max: "sc-14" } },
        ],
        retry: { action: "route-to-match", pins: { schemaRev } },
      });
      expect(headers["x-sluice-arm"]).toBe(undefined);
    }
    expect([blue.executed.length, green.executed.length]).toEqual(before);
  });

  it("SL-4: index skew: 41cc goes to green alone, and with a revision green does not serve to nobody", async () => {
    plane.publish(documentAt(0));
    expect((await ask("sc-12", "41cc")).json["revision"]).toBe("green");
    const { status, json } = await ask("sc-11", "41cc");
    expect([status, json["type"]]).toEqual([409, "urn:sluice:problem:no-matching-revision"]);
    expect(json["differences"]).toMatchObject([
      { arm: "stable", field: "indexHash", wanted: "41cc", serves: ["9a77"] },
      { arm: "candidate", field: "schemaRev", wanted: "sc-11" },
    ]);
  });

  it("I4: a closed green gets nothing; what only it serves is refused", async () => {
    plane.publish(documentAt(0, { closed: ["candidate"] }));
    const before = green.executed.length;
    expect([(await ask("sc-14")).status, (await ask("sc-12")).json["revision"]]).toEqual([409, "blue"]);
    expect(green.executed).toHaveLength(before);
  });

  it("SL-2: a document that promises too much is caught by the service, which answers for itself", async () => {
    const promised: Serves = { ...GREEN, schemaRev: { min: "sc-12", max: "sc-20" } };
    plane.publish(aLockedDocument({ ...blue, serves: BLUE }, { ...green, serves: promised }, 0, { seq: seq++ }));
    const { status, headers, json } = await ask("sc-15");
    expect([status, json["type"], headers["x-sluice-arm"]]).toEqual([
      409,
      "urn:sluice:problem:schema-behind",
      "candidate",
    ]);
    expect(headers["x-schema-rev"]).toBe("sc-12..sc-14");
  });

  it("X-13: the answer carries the pins of the service through the data plane", async () => {
    plane.publish(documentAt(0));
    const { headers } = await ask("sc-10");
    expect([headers["x-schema-rev"], headers["x-index-hash"], headers["x-model-tag"]]).toEqual([
      "sc-10..sc-12",
      "9a77",
      TAG,
    ]);
  });

  it("S1: pins in headers the document does not trust are deleted, in any spelling: they choose nothing", async () => {
    const identity = { trustedHeaders: ["x-user-id"], stickyBy: ["x-user-id"] };
    plane.publish(documentAt(0, { identity }));
    for (const name of ["x-schema-rev", "X-Schema-Rev", "x_schema_rev", "schema-rev"]) {
      const { status, json, headers } = await ask(null, "41cc", { [name]: "sc-14" });
      expect([headers["x-sluice-arm"], status, json["type"]]).toEqual([
        "stable",
        400, // The service locks all three pins, and none arrives.
        "urn:sluice:problem:pin-missing",
      ]);
    }
    plane.publish(documentAt(0));
    const lookalike = await ask(null, "9a77", { x_schema_rev: "sc-14" });
    expect([lookalike.headers["x-sluice-arm"], lookalike.json["type"]]).toEqual([
      "stable",
      "urn:sluice:problem:pin-missing",
    ]);
  });

  it("S2: Connection cannot strip a pin off the way to the service", async () => {
    plane.publish(documentAt(0));
    const { status, json } = await ask("sc-14", "9a77", { connection: "keep-alive, x-schema-rev, x-index-hash" });
    expect([status, json["revision"]]).toEqual([200, "green"]);
  });

  it("a refused request does not disturb the next one on its connection: 40 on one, every other refused", async () => {
    plane.publish(documentAt(0));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set<unknown>();
    agent.on("free", (socket) => sockets.add(socket));
    const statuses: number[] = [];
    for (let at = 0; at < 40; at++) {
      const schemaRev = at % 2 === 0 ? "sc-9" : "sc-11";
      const headers = pinHeaders({ schemaRev, indexHash: "9a77", modelTag: TAG });
      statuses.push((await get(`${plane.url}/answer`, { method: "POST", headers, agent }, '{"question":"?"}')).status);
    }
    agent.destroy();
    expect(statuses).toEqual(Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? 409 : 200)));
    expect(sockets.size).toBe(1);
  });
});
