import { Agent, get } from "node:http";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CacheFiles, driver, nginxCache } from "../../../../src/drivers/cache/nginx/index.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import { cacheConformance, type CacheWorld } from "../../../../src/testing/cache-suite.ts";
import { recorded } from "../../../conformance/recorded.ts";
import { never } from "../../../../src/testing/queue-world.ts";
import { hasNginx, type NginxServer, startNginx } from "./server.ts";

const AT_ONCE = 32;
const silence = () => new Promise<never>(() => {});
/** A disk that never answers. */
const silent: CacheFiles = {
  check: silence,
  walk: () => ({ [Symbol.asyncIterator]: () => ({ next: silence }) }),
  beginning: silence,
  remove: silence,
};

describe.skipIf(!hasNginx())("cache/nginx on a real server", () => {
  let server: NginxServer;
  let worlds = 0;
  beforeAll(async () => {
    server = await startNginx();
  });
  afterAll(async () => {
    agent.destroy();
    await server.stop();
  });
  const place = (query = "") => ({ url: `${pathToFileURL(server.folder).href}${query}`, secretFile: null });

  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const ask = (namespace: string, key: string): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const headers = { "x-cache-namespace": namespace };
      get(server.url + key, { agent, headers }, (answer) => {
        const cached = String(answer.headers["x-cache"]);
        answer.resume().on("end", () => resolve(cached));
      }).on("error", reject);
    });

  /** Keys are paths: the suite's own come behind a slash, which is part of the namespace here. */
  function world(): CacheWorld {
    const prefix = `w${++worlds}-`;
    return {
      async open(at) {
        if (at === "silent") return nginxCache({ folder: "/nowhere", clock: systemClock, files: silent });
        return driver.open(at === "server" ? place() : { url: "file:///nowhere/cache", secretFile: null }, systemClock);
      },
      namespace: (end) => `${prefix}${end}/`,
      async put(namespace, keys, entry) {
        server.service.entry = entry;
        const left = [...keys];
        const one = async () => {
          for (let key = left.pop(); key !== undefined; key = left.pop()) await ask(namespace.slice(0, -1), `/${key}`);
        };
        await Promise.all(Array.from({ length: AT_ONCE }, one));
      },
      close: async () => {},
    };
  }
  const of = { port: "cache", product: "nginx", against: "real", with: "nginx 1.22.1" } as const;
  const record = recorded(of, it);
  cacheConformance(world, record.it);
  record.keep(async () => (await world().open("server")).can);

  it("makes a miss of a removed entry for nginx, which asks the service again, and leaves the other arm's a hit", async () => {
    const cache = await driver.open(place(), systemClock);
    server.service.entry = { writtenBy: "blue", question: "why?" };
    for (const namespace of ["blue:", "green:"]) {
      expect(await ask(namespace, "/a?b=1")).toBe("MISS");
      expect(await ask(namespace, "/a?b=1")).toBe("HIT");
    }
    const before = server.service.asked;
    expect(await cache.purge("blue:", ["/a?b=1"], never)).toBe(1);
    expect(await ask("green:", "/a?b=1")).toBe("HIT");
    expect(await ask("blue:", "/a?b=1")).toBe("MISS");
    expect(server.service.asked).toBe(before + 1);
    expect(await cache.purge("blue:", null, never)).toBe(1);
    expect(await ask("blue:", "/a?b=1")).toBe("MISS");
  });

  it("says rejected of an address that is no folder, and of levels that nginx has not", async () => {
    const wrong = { url: server.url, secretFile: null };
    await expect(driver.open(wrong, systemClock)).rejects.toMatchObject({ code: "rejected", retry: "never" });
    await expect(driver.open(place("?levels=3"), systemClock)).rejects.toMatchObject({ code: "rejected" });
  });
});
