import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/gateway/server.ts";
import { CORPUS } from "./corpus.ts";
import { aDocument, aGateway, anOrigin, exchangeBytes, get, type Origin } from "./world.ts";

const MARK = "GET /mark";
let origin: Origin;
let gateway: Gateway;

beforeAll(async () => {
  origin = await anOrigin();
  gateway = await aGateway(aDocument(origin.url, null, { drainMs: 200 }));
});
afterAll(async () => {
  await gateway.drain();
  await origin.close();
});

describe("S3: what reaches the origin", () => {
  it("has a corpus of at least 120 payloads with distinct names", () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(120);
    expect(new Set(CORPUS.map(({ name }) => name)).size).toBe(CORPUS.length);
  });

  it.each(CORPUS.map((payload) => [payload.name, payload] as const))("%s", async (_name, { bytes, reach }) => {
    origin.seen.length = 0;
    const text = await exchangeBytes(gateway.url, bytes, 40, reach.length);
    expect(origin.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(reach);
    // The connections to the origin are in step: the next request is seen as itself and answered as itself.
    const next = await get(`${gateway.url}/mark`);
    expect(JSON.parse(next.body)).toEqual({ arm: "stable", url: "/mark", bytes: 0 });
    expect(origin.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([...reach, MARK]);
    for (const { raw } of origin.seen) {
      const names = raw.filter((_text, at) => at % 2 === 0);
      expect(names.filter((name) => name === "content-length").length).toBeLessThanOrEqual(1);
      expect(names.includes("content-length") && names.includes("transfer-encoding")).toBe(false);
    }
    const answers = [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].length;
    expect(answers).toBeLessThanOrEqual(reach.length + 1);
    if (reach.length === 0 && text !== "") expect(text).toMatch(/^HTTP\/1\.1 [45]\d\d/);
  });
});
