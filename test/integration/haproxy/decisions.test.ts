import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RoutingDocument } from "../../../src/core/routing/document.ts";
import { compileRouteTable, route } from "../../../src/core/routing/route.ts";
import { systemClock } from "../../../src/fence/system.ts";
import { planeDocument } from "../../../src/testing/plane-suite.ts";
import { makeSuiteSigner, type SuiteSigner } from "../../../src/testing/suite-signer.ts";
import { KeyRing } from "../../../src/plane/key-ring.ts";
import { anOrigin, eventually, type Origin } from "../../gateway/world.ts";
import { hasHaproxy } from "../fence/servers.ts";
import { rawArms } from "./raw-client.ts";
import { type RunningPlane, startPlane } from "./world.ts";

const SEED = 0xdecafbad;
const SHARES = [0, 1, 100, 1_000, 2_500, 5_000, 9_999, 10_000, 5_000, 1_000, 0];

let plane: RunningPlane;
let signer: SuiteSigner;
let origins: readonly [Origin, Origin];
let epoch = 1;

function document(candidateBp: number, over: object = {}): RoutingDocument {
  const arm = (name: string, origin: Origin) => ({ releaseId: name, endpoints: [origin.url], cachePrefix: `${name}:` });
  return planeDocument(epoch, candidateBp, {
    arms: { stable: arm("r1", origins[0]), candidate: arm("v2", origins[1]) },
    sticky: { hash: "v1", seed: SEED, ttlMs: 60_000 },
    ...over,
  });
}

async function offer(candidateBp: number, over: object = {}): Promise<RoutingDocument> {
  epoch++;
  const next = document(candidateBp, over);
  expect(await plane.agent.offer(await signer.signed(next))).toMatchObject({ kind: "adopt" });
  return next;
}

/** Users as they are, and as somebody may make them up. */
const MADE_UP = ["Müller", "用户-10086", "🙂", "a b", "%41", "x".repeat(400), "'quoted'", "a|b,c;d", "0", "-1", "true"];
const UNITS = [
  ...Array.from({ length: 1_960 }, (_none, at) => `user-${at}`),
  ...MADE_UP,
  ...Array.from({ length: 29 }, (_none, at) => String.fromCharCode(0x100 + 31 * at).repeat((at % 9) + 1)),
];

describe.skipIf(!hasHaproxy())("what HAProxy decides", { timeout: 120_000 }, () => {
  beforeAll(async () => {
    origins = [await anOrigin(), await anOrigin()];
    signer = await makeSuiteSigner();
    plane = await startPlane(document(0), { keys: new KeyRing({ trusted: [signer.publicKey], retired: [] }) });
  }, 60_000);
  afterAll(async () => {
    await plane.end();
    for (const origin of origins) await origin.close();
  });

  it("RT-1: is what the library decides for the same user, at every share up and down, and nobody is moved but by it", async () => {
    let compared = 0;
    for (const share of SHARES) {
      const table = compileRouteTable(await offer(share));
      const arms = await rawArms(
        plane.url,
        UNITS.map((unit) => [["x-user-id", unit]]),
      );
      expect(arms).toEqual(UNITS.map((unit) => route(table, unit, null, null).arm));
      compared += arms.length;
    }
    expect(compared).toBe(22_000);
  });

  it("takes no user from a header that is empty, blank or not UTF-8, and refuses two of one", async () => {
    await offer(10_000);
    const bytes = (text: string) => Buffer.from(text, "latin1");
    const nobody = ["", "   ", "\xff", "\xc3", "a\x80", "\xed\xa0\x80", "\xc0\xaf"];
    const arms = await rawArms(plane.url, [[], ...nobody.map((value) => [["x-user-id", bytes(value)] as const])]);
    expect(arms).toEqual(["stable", ...nobody.map(() => "stable")]);
    const twice = [
      ["x-user-id", "ann"],
      ["x-user-id", "bob"],
    ] as const;
    expect(await rawArms(plane.url, [twice])).toEqual(["400"]);
  });

  it("lets those on the allow-list choose, and nobody else", async () => {
    const allow = ["ann", "Müller"];
    const wishes = [null, "candidate", "green", "canary", "stable", "blue", "control", "nonsense"];
    for (const share of [0, 5_000]) {
      const table = compileRouteTable(await offer(share, { allow }));
      for (const unit of ["ann", "Müller", "bob", "ANN"]) {
        const fields = wishes.map((wish) => [
          ["x-user-id", unit] as const,
          ...(wish === null ? [] : [["x-exp", wish] as const]),
        ]);
        const armOf = (wish: string | null) =>
          wish === null || wish === "nonsense"
            ? null
            : ["candidate", "green", "canary"].includes(wish)
              ? "candidate"
              : "stable";
        const expected = wishes.map((wish) => route(table, unit, null, armOf(wish)).arm);
        expect(await rawArms(plane.url, fields)).toEqual(expected);
      }
    }
  });

  it("S1: is moved by none of 10 000 headers that only a data plane may write, in any spelling", async () => {
    const table = compileRouteTable(await offer(5_000));
    const names = [
      "x-exp",
      "x-release",
      "x-release-pin",
      "x-canary",
      "x-probe",
      "x-warm",
      "x-sluice-arm",
      "x-edge-ctx",
    ];
    const spell = (name: string, at: number) =>
      [...name]
        .map((sign, place) =>
          sign === "-" ? ["-", "_", "."][(at >> (place % 7)) % 3] : (at >> place) & 1 ? sign.toUpperCase() : sign,
        )
        .join("");
    const fields = Array.from({ length: 10_000 }, (_none, at) => {
      const name = names[at % names.length] as string;
      const spoof = [spell(name, at), ["candidate", "stable", "true", "1", "v2"][at % 5] as string] as const;
      const user = ["x-user-id", `user-${at % 500}`] as const;
      return at % 2 === 0 ? [spoof, user] : [user, spoof];
    });
    const expected = fields.map((_none, at) => route(table, `user-${at % 500}`, null, null).arm);
    expect(await rawArms(plane.url, fields)).toEqual(expected);
    const heard = origins
      .flatMap(({ seen }) => seen.slice(-5_000))
      .flatMap(({ raw }) => raw.filter((_none, at) => at % 2 === 0));
    const own = new Set(["x-exp"]);
    expect(
      heard
        .filter((name) => names.some((one) => name.toLowerCase().replace(/[^a-z0-9]/g, "-") === one))
        .filter((name) => !own.has(name.toLowerCase())),
    ).toEqual([]);
  });

  it("counts what it served, by arm, user and document, as the gateway does", async () => {
    const next = await offer(5_000);
    const table = compileRouteTable(next);
    await systemClock.sleep(400);
    plane.windows.length = 0;
    const before = plane.agent.stats().requests;
    const users = Array.from({ length: 400 }, (_none, at) => `counted-${at}`);
    const arms = await rawArms(
      plane.url,
      users.map((user) => [["x-user-id", user]]),
    );
    const sum = (of: "requestsAll" | "newUnits") => ({
      stable: plane.windows.reduce((all, { arms: { stable } }) => all + stable[of], 0),
      candidate: plane.windows.reduce((all, { arms: { candidate } }) => all + candidate[of], 0),
    });
    const byArm = {
      stable: arms.filter((arm) => arm === "stable").length,
      candidate: arms.filter((arm) => arm === "candidate").length,
    };
    await eventually(() => plane.agent.stats().requests === before + users.length);
    await offer(5_000); // Which closes the window.
    expect(sum("requestsAll")).toEqual(byArm);
    expect(sum("newUnits")).toEqual(byArm);
    expect(byArm.candidate).toBe(users.filter((user) => route(table, user, null, null).arm === "candidate").length);
    expect(plane.windows.every(({ document: { epoch: at } }) => at === next.epoch)).toBe(true);
  });

  it("gives nobody to a provisional candidate before there is a lease, from the first request on, of a new rollout too", async () => {
    for (const seed of [SEED, SEED + 1]) {
      await offer(10_000);
      expect(await rawArms(plane.url, [[["x-user-id", "ann"]]])).toEqual(["candidate"]);
      const met = new Set<string>();
      let isOffered = false;
      const asking = (async () => {
        for (let asked = 0; !isOffered || asked < 500; asked++) {
          const [arm = "none"] = await rawArms(plane.url, [[["x-user-id", `early-${asked}`]]]);
          if (isOffered) met.add(arm);
        }
      })();
      await offer(10_000, { lease: { ms: 2_000 }, sticky: { hash: "v1", seed, ttlMs: 60_000 } });
      isOffered = true;
      await asking;
      expect([...met]).toEqual(["stable"]);
    }
  });

  it("goes on with the users it has while shares change under load: none is failed", async () => {
    let isOver = false;
    let asked = 0;
    const failed: string[] = [];
    const load = async (worker: number) => {
      while (!isOver) {
        const fields = Array.from({ length: 50 }, (_none, at) => [["x-user-id", `w${worker}-${at}`] as const]);
        const arms = await rawArms(plane.url, fields);
        asked += arms.length;
        failed.push(...arms.filter((arm) => arm !== "stable" && arm !== "candidate"));
      }
    };
    const loads = [load(0), load(1)];
    for (let change = 0; change < 40 || asked < 2_000; change++) await offer((change * 250) % 10_001);
    isOver = true;
    await Promise.all(loads);
    expect(failed).toEqual([]);
    expect(asked).toBeGreaterThanOrEqual(2_000);
  });
});
