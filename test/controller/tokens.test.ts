import type { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROUTES } from "../../src/contract/routes.ts";
import { type Right, SCOPE_NAMES, SCOPES, type Scope } from "../../src/contract/scope.ts";
import { controllerApp } from "../../src/controller/api/app.ts";
import { TokenBook } from "../../src/controller/token-book.ts";
import { World } from "./world.ts";

const ADMIN = "a".repeat(43);
const GATEWAY = "g".repeat(43);
const HOST = "127.0.0.1:4400";

const NO_PATHS = { set: null, map: null, corpus: null };

/** Says that stable is at a port, and that it asks for a secret of the controller's environment. */
const documentOf = (stablePort: string) => `apiVersion: sluice/v1
kind: Rollout
metadata: { name: support-rag-7 }
spec:
  service: support-rag
  stable: { url: "http://127.0.0.1:${stablePort}/answer", health: "http://127.0.0.1:${stablePort}/ready" }
  candidate: { url: "http://127.0.0.1:4002/answer" }
  access: { headers: { x-api-key: "\${HOME}" } }
  route: { driver: gateway, listen: "127.0.0.1:4000", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: { canary: { steps: [{ weight: 20, hold: 3s }, { weight: 100, hold: 1s }] } }
  gates: [{ use: default }]
`;

let world: World;
let keys = 0;
beforeEach(async () => {
  world = await new World().open();
  await world.run(2);
});
afterEach(() => world.controller.stop());

const open = () =>
  TokenBook.open(world.store, world.clock, [
    [ADMIN, "admin"],
    [GATEWAY, "gateway"],
  ]);

function appWith(tokens: TokenBook, hasOpenMetrics = false): Hono {
  const { controller, clock } = world;
  const stopped = new AbortController().signal;
  const trust = { secret: ADMIN, tokens, hasOpenMetrics };
  return controllerApp(controller, { ...trust, allowedHosts: [HOST], clock, stopped, log: () => {} });
}

async function ask(app: Hono, method: string, path: string, secret: string | null, body: object = {}) {
  const authorization = secret === null ? {} : { authorization: `Bearer ${secret}` };
  const headers = { host: HOST, "idempotency-key": `k${++keys}`, ...authorization };
  const text = method === "GET" ? {} : { body: JSON.stringify(body) };
  const response = await app.request(`http://${HOST}${path}`, { method, headers, ...text });
  return { status: response.status, body: (await response.json().catch(() => ({}))) as Record<string, unknown> };
}

const secretOf = (name: string) => name.padEnd(43, "x");
const create = (app: Hono, name: string, scope: Scope, lifeMs: number | null = null, by = ADMIN) =>
  ask(app, "POST", "/v1/tokens", by, { name, scope, secret: secretOf(name), expires_in_ms: lifeMs });

/** Every request that needs a right, and two that no route answers; the stream of events has no end to wait for. */
const REQUESTS: readonly (readonly [right: Right, method: string, path: string])[] = [
  ...Object.entries(ROUTES).flatMap(([name, { right }]) => {
    const [method = "", path = ""] = name.split(" ");
    const isAsked = right !== null && path !== "/v1/events";
    return isAsked ? [[right, method, path.replace(/\{\w+\}/g, "x")] as const] : [];
  }),
  ["operate", "DELETE", "/v1/rollouts"],
  ["read", "GET", "/v1/nothing"],
];

describe("a token", () => {
  it("allows what its scope says and nothing else, for every request there is", async () => {
    const app = appWith(await open());
    for (const scope of SCOPE_NAMES) {
      expect((await create(app, scope, scope)).status).toBe(200);
      for (const [right, method, path] of REQUESTS) {
        const { status } = await ask(app, method, path, secretOf(scope));
        const isAllowed = (SCOPES[scope].rights as readonly Right[]).includes(right);
        expect([scope, method, path, status === 403]).toEqual([scope, method, path, !isAllowed]);
        expect(status).not.toBe(401);
      }
    }
  });

  it("is needed for every request but those that ask whether the process lives and what it answers", async () => {
    const app = appWith(await open());
    for (const [, method, path] of REQUESTS) expect((await ask(app, method, path, null)).status).toBe(401);
    expect((await ask(app, "GET", "/v1/events", null)).status).toBe(401);
    expect((await ask(app, "GET", "/healthz", null)).status).toBe(200);
    expect((await ask(app, "GET", "/openapi.json", null)).body).toMatchObject({ openapi: "3.1.1" });
    expect((await ask(appWith(await open(), true), "GET", "/metrics", null)).status).toBe(200);
  });

  it("that may only look does not make the controller send its secrets anywhere", async () => {
    const app = appWith(await open());
    const applied = { document: documentOf("4001"), file: "r.yaml", gold_digest: "", paths: NO_PATHS };
    expect((await ask(app, "POST", "/v1/rollouts", ADMIN, applied)).status).toBe(201);
    await world.run(8);
    world.releases[4009] = "another";
    for (const scope of ["view", "operate"] as const) {
      await create(app, scope, scope);
      world.healthAsked.length = 0;
      const claim = { document: documentOf("4009"), file: "r.yaml", look: true };
      const { status } = await ask(app, "POST", "/v1/claims", secretOf(scope), claim);
      const isWithSecrets = world.healthAsked.some(({ access }) => access !== undefined);
      expect([scope, status, world.healthAsked.length > 0, isWithSecrets]).toEqual([
        scope,
        409,
        true,
        scope === "operate",
      ]);
    }
  });

  it("stops counting when it expires and when it is revoked, and counts again after no restart", async () => {
    const app = appWith(await open());
    await create(app, "short", "view", 60_000);
    await create(app, "long", "view");
    const statuses = async (served: Hono) =>
      Promise.all(
        ["short", "long"].map(async (one) => (await ask(served, "GET", "/v1/rollouts", secretOf(one))).status),
      );
    expect(await statuses(app)).toEqual([200, 200]);
    await world.clock.advance(60_000);
    expect(await statuses(app)).toEqual([401, 200]);
    expect((await ask(app, "POST", "/v1/tokens/long/revoke", ADMIN)).status).toBe(200);
    expect(await statuses(app)).toEqual([401, 401]);
    expect(await statuses(appWith(await open()))).toEqual([401, 401]);
  });

  it("is kept as a hash alone, and no answer shows a secret", async () => {
    const app = appWith(await open());
    const created = await create(app, "ci", "operate");
    const listed = await ask(app, "GET", "/v1/tokens", ADMIN);
    const kept = JSON.stringify([await world.store.tokens(), created.body, listed.body]);
    expect(kept).toContain("ci");
    expect(kept).not.toContain(secretOf("ci"));
  });

  it("needs a name of its own, a known scope and a whole secret", async () => {
    const app = appWith(await open());
    expect((await create(app, "ci", "operate")).status).toBe(200);
    expect((await create(app, "ci", "operate")).status).toBe(409);
    expect((await create(app, "other", "root" as Scope)).status).toBe(400);
    const short = { name: "short", scope: "view", secret: "abc", expires_in_ms: null };
    expect((await ask(app, "POST", "/v1/tokens", ADMIN, short)).status).toBe(400);
  });

  it("names who acted: its own name goes into journals, whatever its sender calls himself", async () => {
    const app = appWith(await open());
    await create(app, "ci", "operate");
    const { shortPlan } = await import("./world.ts");
    await world.controller.apply(shortPlan());
    await world.run(6);
    const headers = { host: HOST, authorization: `Bearer ${secretOf("ci")}`, "idempotency-key": "k" };
    await app.request(`http://${HOST}/v1/rollouts/support-rag-7/abort`, {
      method: "POST",
      headers: { ...headers, "x-sluice-operator": "somebody else" },
      body: "{}",
    });
    const entries = await world.controller.journal("support-rag-7");
    expect(entries.flatMap(({ event }) => (event.kind === "commanded" ? [event.by] : []))).toEqual(["ci"]);
  });
});

describe("the gateways' credential", () => {
  it("gets documents and brings telemetry, and can neither read nor command", async () => {
    const app = appWith(await open());
    expect((await ask(app, "GET", "/v1/routing/nobody", GATEWAY)).status).toBe(404);
    expect((await ask(app, "POST", "/v1/telemetry", GATEWAY)).status).toBe(400);
    for (const path of ["/v1/rollouts", "/v1/tokens", "/v1/services/x"])
      expect((await ask(app, "GET", path, GATEWAY)).status).toBe(403);
    expect((await ask(app, "POST", "/v1/rollouts/x/abort", GATEWAY)).status).toBe(403);
  });
});
