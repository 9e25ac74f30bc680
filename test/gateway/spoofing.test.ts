import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bp, epochMs } from "../../src/core/unit.ts";
import type { Gateway } from "../../src/gateway/server.ts";
import { aDocument, aGateway, anOrigin, exchangeBytes, get, type Origin } from "./world.ts";

const NAMES = [
  "x-exp",
  "x-release",
  "x-release-pin",
  "x-canary",
  "x-region-pin",
  "x-edge-ctx",
  "x-cache-namespace",
  "x-sluice-arm",
];
const VALUES = ["candidate", "green", "true", "v2-cnr:", "v1.e30.c2ln"];
const CONNECTIONS = 50;
const EACH = 200;
let stable: Origin;
let candidate: Origin;
let gateway: Gateway;

beforeAll(async () => {
  [stable, candidate] = [await anOrigin(), await anOrigin()];
  gateway = await aGateway(
    aDocument(stable.url, candidate.url, { candidateBp: 100 as Bp, drainMs: 500, issuedAt: epochMs(0) }),
  );
});
afterAll(async () => {
  await gateway.drain();
  await stable.close();
  await candidate.close();
});

/** Spelling number `at` of a name: case by bits, signs and copies by remainders. */
function variant(at: number): string {
  const name = NAMES[at % NAMES.length] as string;
  const sign = ["-", "_", "."][at % 3] as string;
  const spelled = [...name]
    .map((letter, place) => (letter === "-" ? sign : ((at >> (place % 16)) & 1) === 1 ? letter.toUpperCase() : letter))
    .join("");
  const value = VALUES[at % VALUES.length] as string;
  const padded = at % 7 === 0 ? `\t${value}  ` : ` ${value}`;
  const line = `${spelled}:${padded}\r\n`;
  const listed = at % 5 === 0 ? `Connection: x-exp, ${spelled}\r\n` : "";
  return line.repeat(1 + (at % 3)) + listed;
}

describe("S1: spoofed fields", () => {
  it("change the arm of no request in 10 000 variants, with and without a unit", async () => {
    const home = (await get(gateway.url, { headers: { "x-user-id": "u-home" } })).headers["x-sluice-arm"];
    expect(home).toBe("stable");
    stable.seen.length = 0;
    const connection = async (number: number) => {
      const requests = Array.from({ length: EACH }, (_, at) => {
        const unit = at % 2 === 0 ? "x-user-id: u-home\r\n" : "";
        const end = at === EACH - 1 ? "Connection: close\r\n" : ""; // The end of the answers, however slow they are.
        return `GET /v HTTP/1.1\r\nHost: x\r\n${unit}${variant(number * EACH + at)}${end}\r\n`;
      });
      return exchangeBytes(gateway.url, requests.join(""), 20_000);
    };
    let answers = "";
    for (let number = 0; number < CONNECTIONS; number += 5) {
      const batch = Array.from({ length: 5 }, (_, step) => connection(number + step));
      answers += (await Promise.all(batch)).join("");
    }
    expect([...answers.matchAll(/HTTP\/1\.1 200 OK\r\n/g)]).toHaveLength(CONNECTIONS * EACH);
    expect([...answers.matchAll(/^x-sluice-arm: stable/gm)]).toHaveLength(CONNECTIONS * EACH);
    expect([stable.seen.length, candidate.seen.length]).toEqual([CONNECTIONS * EACH, 0]);
    const internal = /^(x.(exp|release|release.pin|canary|region.pin|edge.ctx|cache.namespace)|x.sluice.*)$/;
    for (const { raw } of stable.seen) {
      const told = raw.flatMap((text, at) => (at % 2 === 0 && internal.test(text) ? [`${text}=${raw[at + 1]}`] : []));
      expect(told).toEqual(["x-exp=stable", "x-cache-namespace=v1-blu:"]);
    }
  }, 60_000);

  it("RT-10: x-exp is heard from units on the allow-list, by their trusted header, and from nobody else", async () => {
    gateway.adopt({ ...aDocument(stable.url, candidate.url, { candidateBp: 1 as Bp, allow: ["vip"], seq: 2 }) });
    const armOf = async (headers: Record<string, string>) =>
      (await get(gateway.url, { headers })).headers["x-sluice-arm"];
    expect(await armOf({ "x-user-id": "vip" })).toBe("candidate");
    expect(await armOf({ "x-user-id": "vip", "x-exp": "stable" })).toBe("stable");
    expect(await armOf({ "x-user-id": "other", "x-exp": "candidate" })).toBe("stable");
    expect(await armOf({ "x-exp": "candidate" })).toBe("stable");
    expect(await armOf({ x_user_id: "vip" })).toBe("stable");
  });

  it("honours a pin only as far as the verifier does, and not at all when it breaks", async () => {
    const pinned = await aGateway(aDocument(stable.url, candidate.url, { candidateBp: 0 as Bp, drainMs: 100 }), {
      verifyPin: (token) => {
        if (token === "broken") throw new Error("no key");
        return token === "good" ? { arm: "candidate", purpose: "qa" } : null;
      },
    });
    const armOf = async (pin: string) =>
      (await get(pinned.url, { headers: { "x-release-pin": pin } })).headers["x-sluice-arm"];
    expect([await armOf("good"), await armOf("bad"), await armOf("broken")]).toEqual(["candidate", "stable", "stable"]);
    await pinned.drain();
  });
});
