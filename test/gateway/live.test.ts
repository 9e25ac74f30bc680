import { Agent, request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { thresholdOf } from "../../src/core/assign/bucket.ts";
import { xxHash32 } from "../../src/core/assign/xxhash32.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import type { Bp } from "../../src/core/unit.ts";
import { systemClock } from "../../src/fence/system.ts";
import { aDocument, aGateway, anOrigin, eventually, get, type Origin } from "./world.ts";

const REQUESTS = 20_000;
const CHANGES = 120;
const USERS = 400;
let origins: Origin[] = [];

beforeAll(async () => {
  origins = [await anOrigin(), await anOrigin(), await anOrigin()];
});
afterAll(() => Promise.all(origins.map((origin) => origin.close())));

const urlOf = (at: number) => (origins[at] as Origin).url;
const agent = new Agent({ keepAlive: true, maxSockets: 32 });
afterAll(() => agent.destroy());

/** One small POST; resolves with status, arm, document and split of the answer. */
function ask(url: string, user: string): Promise<{ status: number; arm: string; split: number }> {
  return new Promise((resolve, reject) => {
    const req = request(url, { method: "POST", agent, headers: { "x-user-id": user, "content-length": 2 } }, (res) => {
      res.resume();
      res.on("error", reject);
      res.on("end", () => {
        const { "x-sluice-arm": arm, "x-sluice-split": split } = res.headers;
        resolve({ status: res.statusCode ?? 0, arm: String(arm), split: Number(split) });
      });
    });
    req.on("error", reject);
    req.end("{}");
  });
}

describe("live changes", () => {
  it(`I9, RT-3: ${CHANGES} document changes under ${REQUESTS} requests lose none and move nobody the share did not move`, async () => {
    const first = aDocument(urlOf(0), urlOf(1), { drainMs: 20_000 });
    const gateway = await aGateway(first);
    let [sent, done, failed, violations, changes] = [0, 0, 0, 0, 0];
    const worker = async () => {
      while (sent < REQUESTS) {
        const user = `user-${sent++ % USERS}`;
        const got = await ask(gateway.url, user).catch(() => null);
        done++;
        if (got?.status !== 200) failed++;
        // The arm follows from the unit and the share the answer names, and from nothing else.
        else if (got.arm !== (xxHash32(user, 7) < thresholdOf(got.split as Bp) ? "candidate" : "stable")) violations++;
      }
    };
    const workers = Array.from({ length: 16 }, worker);
    while (done < REQUESTS && changes < CHANGES) {
      const due = Math.floor((changes * REQUESTS) / (CHANGES + 1));
      if (done < due) {
        await systemClock.sleep(1);
        continue;
      }
      changes++;
      // Shares go up and down; every tenth change also moves the candidate to another endpoint and back.
      const candidate = Math.floor(changes / 10) % 2 === 0 ? urlOf(1) : urlOf(2);
      const document: RoutingDocument = { ...aDocument(urlOf(0), candidate, { drainMs: 20_000 }), seq: 1 + changes };
      const admission = gateway.adopt({ ...document, candidateBp: ((changes * 1_700) % 10_001) as Bp });
      expect(admission.kind).toBe("adopt");
    }
    await Promise.all(workers);
    expect({ changes, done, failed, violations }).toEqual({
      changes: CHANGES,
      done: REQUESTS,
      failed: 0,
      violations: 0,
    });
    expect(gateway.stats()).toMatchObject({ gatewayFailures: 0, retries: 0, documentsAdopted: CHANGES, inFlight: 0 });
    await gateway.drain();
  }, 60_000);

  it("DS-4, DS-5, DS-7: a stream goes on to its end on the arm and endpoint it began on, whatever is published meanwhile", async () => {
    let end: (() => void) | null = null;
    const streaming = await anOrigin((_seen, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("data: 1\n\n");
      end = () => res.end("data: last\n\n");
    });
    const gateway = await aGateway(aDocument(streaming.url, null, { drainMs: 20_000 }));
    const stream = get(gateway.url);
    await eventually(() => end !== null);
    for (let seq = 2; seq < 30; seq++) gateway.adopt({ ...aDocument(urlOf(seq % 2), null), seq });
    expect((await get(gateway.url)).headers["x-sluice-doc"]).toBe("1.29");
    (end as unknown as () => void)();
    const got = await stream;
    expect([got.body, got.headers["x-sluice-doc"]]).toEqual(["data: 1\n\ndata: last\n\n", "1.1"]);
    await gateway.drain();
    await streaming.close();
  });

  it("cuts what still runs on a replaced endpoint after drainMs, as a doing of its own and no failure of the arm", async () => {
    const silent = await anOrigin((_seen, res) => void res.write("x"));
    const windows: number[] = [];
    const onWindow = ({
      arms,
      gatewayFailures,
    }: {
      arms: { stable: { failuresAll: number } };
      gatewayFailures: number;
    }) => windows.push(gatewayFailures, arms.stable.failuresAll);
    const gateway = await aGateway(aDocument(silent.url, null), { onWindow });
    const stream = get(gateway.url).then(
      () => "whole",
      () => "cut",
    );
    await eventually(() => silent.seen.length === 1);
    gateway.adopt({ ...aDocument(urlOf(0), null, { drainMs: 50 }), seq: 2 });
    expect(await stream).toBe("cut");
    expect(await eventually(() => gateway.stats().inFlight === 0)).toBe(true);
    gateway.adopt({ ...aDocument(urlOf(0), null), seq: 3 });
    expect(windows).toEqual([0, 0, 1, 0]);
    await gateway.drain();
    await silent.close();
  });

  it("I8, I21: keeps the last good document when one is older, equal or broken", async () => {
    const gateway = await aGateway(aDocument(urlOf(0), urlOf(1), { epoch: 3, seq: 5 }));
    expect(gateway.adopt(aDocument(urlOf(0), urlOf(1), { epoch: 2, seq: 9 })).kind).toBe("keep");
    expect(gateway.adopt(aDocument(urlOf(0), urlOf(1), { epoch: 3, seq: 5 })).kind).toBe("keep");
    expect(gateway.adopt(aDocument(urlOf(0), urlOf(1), { epoch: 3, seq: 5, candidateBp: 9 as Bp })).kind).toBe(
      "refuse",
    );
    expect(gateway.adopt(aDocument("nonsense", null, { epoch: 9 })).kind).toBe("refuse");
    expect(gateway.document()).toMatchObject({ epoch: 3, seq: 5, candidateBp: 5_000 });
    expect((await get(gateway.url)).status).toBe(200);
    await gateway.drain();
  });
});
