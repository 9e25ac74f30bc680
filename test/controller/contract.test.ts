import { afterEach, describe, expect, it } from "vitest";
import { type RouteName, ROUTES } from "../../src/contract/routes.ts";
import { rightOf } from "../../src/controller/api/scope.ts";
import { AskedApi, type Asked, conforming } from "./asked-api.ts";
import { aSigner } from "../a-signer.ts";
import { aGate, aShadowOrder, traffic, watch } from "../builders.ts";
import { aProbeReport } from "../probe-report.ts";
import { sentEvent } from "../../src/contract/events.ts";
import { shadowErrors } from "../../src/core/judge/shadow/shadow-errors.ts";
import { stagesOfPace } from "../../src/core/stage/pace.ts";
import type { Stage } from "../../src/core/stage/plan.ts";
import { planPace } from "../../src/spec/pace-document.ts";
import { shortPlan } from "./world.ts";

const ID = "support-rag-7";
const DOCUMENT = `apiVersion: sluice/v1
kind: Rollout
metadata: { name: ${ID} }
spec:
  service: support-rag
  stable: { url: "http://127.0.0.1:4001/answer", release: r-stable }
  candidate: { url: "http://127.0.0.1:4002/answer", release: r-candidate, serves: { schemaRev: { min: sc-1, max: sc-2 } } }
  access: { headers: { x-key: { file: /run/secrets/key } } }
  route: { driver: gateway, listen: "127.0.0.1:4000", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  segments: [{ name: tenant, header: x-tenant, show: true }]
  metrics: [{ name: age, source: prometheus, url: "http://127.0.0.1:9090", candidate: up, access: { basic: { user: a, password: { file: /run/secrets/p } } } }]
  strategy: { canary: { steps: [{ weight: 20, hold: 3s }, { weight: 100, hold: 1s }] } }
  gates: [{ use: default }]
`;
const APPLY = { document: DOCUMENT, file: "r.yaml", gold_digest: "", paths: { set: null, map: null, corpus: null } };
const SECRET = "s".repeat(43);
const TOKEN = { name: "ci", scope: "view", secret: SECRET, expires_in_ms: null };

let api: AskedApi;
afterEach(() => api.close());

/** A controller whose service has a rollout at its first share, and a gateway that reports. */
async function running(): Promise<AskedApi> {
  api = await AskedApi.open();
  expect((await api.ask("POST /v1/rollouts", "/v1/rollouts", { body: APPLY })).status).toBe(201);
  await api.world.run(8);
  return api;
}

async function ended(): Promise<AskedApi> {
  await running();
  await api.ask("POST /v1/rollouts/{id}/abort", `/v1/rollouts/${ID}/abort`, { body: {} });
  await api.world.run(4);
  return api;
}

const CUTOVER = {
  ...APPLY,
  document: DOCUMENT.replace(/ {2}(segments|metrics): .*\n/g, "").replace(
    / {2}strategy: .*\n/,
    "  strategy: { blueGreen: { effects: true, hold: 1m } }\n",
  ),
};

/** A controller that has moved everything at once and holds it. */
async function cutOver(): Promise<AskedApi> {
  api = await AskedApi.open();
  expect((await api.ask("POST /v1/cutovers", "/v1/cutovers", { body: CUTOVER })).status).toBe(201);
  await api.world.run(20);
  return api;
}

const DRILL_ID = "leave-us-east";
const DRILL = {
  ...APPLY,
  document: `apiVersion: sluice/v1
kind: Drill
metadata: { name: ${DRILL_ID} }
spec:
  service: support-rag
  places:
    us-east: { url: "http://127.0.0.1:4001/answer", health: "http://127.0.0.1:4001/healthz/ready" }
    eu-west: { url: "http://127.0.0.1:4002/answer", health: "http://127.0.0.1:4002/healthz/ready" }
  approvals: 1
  drill:
    regions: [us-east, eu-west]
    evacuate: us-east
    promote_survivor: eu-west
    checks: { pre: [env_parity], live: [index_hash], post: [contracts_equal] }
    return_to_home: { rebuild_follower: false, purge_cache: false }
`,
};

/** A controller with a drill that waits for another person's yes. */
async function drilled(): Promise<AskedApi> {
  await ended();
  expect((await api.ask("POST /v1/drills", "/v1/drills", { body: DRILL })).status).toBe(201);
  return api;
}

/** A word about the drill that waits; of a person with a token of her own. */
async function wordAbout(verb: "abort" | "home" | "approve", id: string): Promise<Asked> {
  await (id === DRILL_ID ? drilled() : bare());
  await api.ask("POST /v1/tokens", "/v1/tokens", { body: { ...TOKEN, scope: "operate" } });
  const headers = { authorization: `Bearer ${SECRET}` };
  return api.ask(`POST /v1/drills/{id}/${verb}` as RouteName, `/v1/drills/${id}/${verb}`, { body: {}, headers });
}

/** Orders a command of the running rollout. */
const ordering = (verb: string, body: object = {}): Ask => {
  const name = `POST /v1/rollouts/{id}/${verb}` as RouteName;
  return async () => (await running()).ask(name, `/v1/rollouts/${ID}/${verb}`, { body });
};
const refusing = (verb: string): Ask => {
  const name = `POST /v1/rollouts/{id}/${verb}` as RouteName;
  return async () => (await running()).ask(name, `/v1/rollouts/${ID}/${verb}`, { body: { generation: 7 } });
};

type Ask = () => Promise<Asked>;
type Form = readonly [ask: Ask, expected: number | string];

/** Every route in its ordinary form, by status, and in a refused one, by code. */
const FORMS: Readonly<Record<RouteName, { readonly ordinary: Form; readonly refused: Form }>> = {
  "GET /healthz": {
    ordinary: [async () => (await bare()).ask("GET /healthz", "/healthz", { headers: { authorization: "" } }), 200],
    refused: [
      async () => (await bare()).ask("GET /healthz", "/healthz", { headers: { host: "evil.example" } }),
      "forbidden",
    ],
  },
  "GET /openapi.json": {
    ordinary: [
      async () => (await bare()).ask("GET /openapi.json", "/openapi.json", { headers: { authorization: "" } }),
      200,
    ],
    refused: [
      async () =>
        (await bare()).ask("GET /openapi.json", "/openapi.json", { headers: { origin: "https://evil.example" } }),
      "forbidden",
    ],
  },
  "GET /metrics": {
    ordinary: [async () => (await running()).ask("GET /metrics", "/metrics"), 200],
    refused: [
      async () => (await bare()).ask("GET /metrics", "/metrics", { headers: { authorization: "" } }),
      "unauthorized",
    ],
  },
  "GET /v1/drills": {
    ordinary: [async () => (await drilled()).ask("GET /v1/drills", "/v1/drills"), 200],
    refused: [
      async () => (await bare()).ask("GET /v1/drills", "/v1/drills", { headers: { authorization: "" } }),
      "unauthorized",
    ],
  },
  "POST /v1/drills": {
    ordinary: [async () => (await drilled()).ask("POST /v1/drills", "/v1/drills", { body: DRILL }), 200],
    refused: [async () => (await running()).ask("POST /v1/drills", "/v1/drills", { body: DRILL }), "conflict"],
  },
  "GET /v1/drills/{id}": {
    ordinary: [async () => (await drilled()).ask("GET /v1/drills/{id}", `/v1/drills/${DRILL_ID}`), 200],
    refused: [async () => (await bare()).ask("GET /v1/drills/{id}", "/v1/drills/other"), "not-found"],
  },
  "GET /v1/drills/{id}/journal": {
    ordinary: [async () => (await drilled()).ask("GET /v1/drills/{id}/journal", `/v1/drills/${DRILL_ID}/journal`), 200],
    refused: [async () => (await bare()).ask("GET /v1/drills/{id}/journal", "/v1/drills/other/journal"), "not-found"],
  },
  "POST /v1/drills/{id}/abort": {
    ordinary: [() => wordAbout("abort", DRILL_ID), 200],
    refused: [() => wordAbout("abort", "other"), "not-found"],
  },
  "POST /v1/drills/{id}/home": {
    ordinary: [() => wordAbout("home", DRILL_ID), 200],
    refused: [() => wordAbout("home", "other"), "not-found"],
  },
  "POST /v1/drills/{id}/approve": {
    ordinary: [() => wordAbout("approve", DRILL_ID), 200],
    refused: [() => wordAbout("approve", "other"), "not-found"],
  },
  "GET /v1/cutovers": {
    ordinary: [async () => (await cutOver()).ask("GET /v1/cutovers", "/v1/cutovers"), 200],
    refused: [
      async () => (await bare()).ask("GET /v1/cutovers", "/v1/cutovers", { headers: { authorization: "" } }),
      "unauthorized",
    ],
  },
  "POST /v1/cutovers": {
    ordinary: [async () => (await cutOver()).ask("POST /v1/cutovers", "/v1/cutovers", { body: CUTOVER }), 200],
    refused: [async () => (await bare()).ask("POST /v1/cutovers", "/v1/cutovers", { body: APPLY }), "invalid-document"],
  },
  "GET /v1/cutovers/{id}": {
    ordinary: [async () => (await cutOver()).ask("GET /v1/cutovers/{id}", `/v1/cutovers/${ID}`), 200],
    refused: [async () => (await bare()).ask("GET /v1/cutovers/{id}", "/v1/cutovers/other"), "not-found"],
  },
  "POST /v1/cutovers/{id}/abort": {
    ordinary: [
      async () => (await cutOver()).ask("POST /v1/cutovers/{id}/abort", `/v1/cutovers/${ID}/abort`, { body: {} }),
      200,
    ],
    refused: [
      async () => (await bare()).ask("POST /v1/cutovers/{id}/abort", "/v1/cutovers/other/abort", { body: {} }),
      "not-found",
    ],
  },
  "GET /v1/cutovers/{id}/journal": {
    ordinary: [async () => (await cutOver()).ask("GET /v1/cutovers/{id}/journal", `/v1/cutovers/${ID}/journal`), 200],
    refused: [
      async () => (await bare()).ask("GET /v1/cutovers/{id}/journal", "/v1/cutovers/other/journal"),
      "not-found",
    ],
  },
  "POST /v1/services/{service}/grant": {
    ordinary: [
      async () =>
        (await cutOver()).ask("POST /v1/services/{service}/grant", "/v1/services/support-rag/grant", {
          body: { release: "r-candidate", worker: "w-1", role: "producer", acting: false },
        }),
      200,
    ],
    refused: [
      async () =>
        (await bare()).ask("POST /v1/services/{service}/grant", "/v1/services/support-rag/grant", { body: {} }),
      "bad-request",
    ],
  },
  "GET /v1/rollouts": {
    ordinary: [async () => (await running()).ask("GET /v1/rollouts", "/v1/rollouts"), 200],
    refused: [
      async () => (await bare()).ask("GET /v1/rollouts", "/v1/rollouts", { headers: { authorization: "" } }),
      "unauthorized",
    ],
  },
  "POST /v1/rollouts": {
    ordinary: [async () => (await running()).ask("POST /v1/rollouts", "/v1/rollouts", { body: APPLY }), 200],
    refused: [
      async () =>
        (await bare()).ask("POST /v1/rollouts", "/v1/rollouts", {
          body: { ...APPLY, document: DOCUMENT.replace("weight: 20", "weight: 220") },
        }),
      "invalid-document",
    ],
  },
  "GET /v1/rollouts/{id}": {
    ordinary: [async () => (await running()).ask("GET /v1/rollouts/{id}", `/v1/rollouts/${ID}`), 200],
    refused: [async () => (await bare()).ask("GET /v1/rollouts/{id}", "/v1/rollouts/nobody"), "not-found"],
  },
  "POST /v1/rollouts/{id}/promote": {
    ordinary: [ordering("promote", { full: true, despite: true }), 200],
    refused: [ordering("promote"), "no-effect"],
  },
  "POST /v1/rollouts/{id}/pause": { ordinary: [ordering("pause"), 200], refused: [refusing("pause"), "generation"] },
  "POST /v1/rollouts/{id}/resume": { ordinary: [ordering("resume"), 200], refused: [refusing("resume"), "generation"] },
  "POST /v1/rollouts/{id}/abort": {
    ordinary: [ordering("abort", { reason: "seen enough" }), 200],
    refused: [refusing("abort"), "generation"],
  },
  "POST /v1/rollouts/{id}/rollback": {
    ordinary: [ordering("rollback"), 200],
    refused: [ordering("rollback", { unknown: 1 }), "bad-request"],
  },
  "POST /v1/rollouts/{id}/retry": {
    ordinary: [
      async () => (await ended()).ask("POST /v1/rollouts/{id}/retry", `/v1/rollouts/${ID}/retry`, { body: {} }),
      201,
    ],
    refused: [ordering("retry"), "conflict"],
  },
  "POST /v1/rollouts/{id}/unit": {
    ordinary: [ordering("unit", { unit: "user-1", segment: null }), 200],
    refused: [ordering("unit", { unit: "acme", segment: "region" }), "not-found"],
  },
  "GET /v1/rollouts/{id}/journal": {
    ordinary: [async () => (await ended()).ask("GET /v1/rollouts/{id}/journal", `/v1/rollouts/${ID}/journal`), 200],
    refused: [
      async () => (await bare()).ask("GET /v1/rollouts/{id}/journal", "/v1/rollouts/nobody/journal"),
      "not-found",
    ],
  },
  "GET /v1/verdicts/{id}": {
    ordinary: [async () => (await running()).ask("GET /v1/verdicts/{id}", `/v1/verdicts/${ID}`), 200],
    refused: [async () => (await bare()).ask("GET /v1/verdicts/{id}", "/v1/verdicts/nobody"), "not-found"],
  },
  "POST /v1/prune": {
    ordinary: [
      async () => (await ended()).ask("POST /v1/prune", "/v1/prune", { body: { older_than_ms: 0, keep: 0 } }),
      200,
    ],
    refused: [async () => (await bare()).ask("POST /v1/prune", "/v1/prune", { body: {} }), "bad-request"],
  },
  "GET /v1/tokens": {
    ordinary: [
      async () => {
        await (await bare()).ask("POST /v1/tokens", "/v1/tokens", { body: TOKEN });
        return api.ask("GET /v1/tokens", "/v1/tokens");
      },
      200,
    ],
    refused: [
      async () => {
        await (await bare()).ask("POST /v1/tokens", "/v1/tokens", { body: TOKEN });
        return api.ask("GET /v1/tokens", "/v1/tokens", { headers: { authorization: `Bearer ${SECRET}` } });
      },
      "forbidden",
    ],
  },
  "POST /v1/tokens": {
    ordinary: [async () => (await bare()).ask("POST /v1/tokens", "/v1/tokens", { body: TOKEN }), 200],
    refused: [
      async () => (await bare()).ask("POST /v1/tokens", "/v1/tokens", { body: { ...TOKEN, scope: "root" } }),
      "bad-request",
    ],
  },
  "POST /v1/tokens/{name}/revoke": {
    ordinary: [
      async () => {
        await (await bare()).ask("POST /v1/tokens", "/v1/tokens", { body: TOKEN });
        return api.ask("POST /v1/tokens/{name}/revoke", "/v1/tokens/ci/revoke");
      },
      200,
    ],
    refused: [async () => (await bare()).ask("POST /v1/tokens/{name}/revoke", "/v1/tokens/nobody/revoke"), "not-found"],
  },
  "GET /v1/key": {
    ordinary: [async () => (await signing()).ask("GET /v1/key", "/v1/key"), 200],
    refused: [async () => (await bare()).ask("GET /v1/key", "/v1/key"), "not-found"],
  },
  "POST /v1/key/rotate": {
    ordinary: [
      async () => {
        const { value } = await (await signing()).ask("GET /v1/key", "/v1/key");
        const { kid } = value as { readonly kid: string };
        return api.ask("POST /v1/key/rotate", "/v1/key/rotate", { body: { from: kid } });
      },
      200,
    ],
    refused: [
      async () => (await signing()).ask("POST /v1/key/rotate", "/v1/key/rotate", { body: { from: "k" } }),
      "conflict",
    ],
  },
  "GET /v1/gateways": {
    ordinary: [
      async () => {
        await (await running()).ask("POST /v1/gateways/{id}/forget", "/v1/gateways/g1/forget", {
          body: { reason: "gone" },
        });
        const forgotten = await api.ask("GET /v1/gateways", "/v1/gateways");
        expect(forgotten.value).toMatchObject({ gateways: [], gone: [{ gateway_id: "g1", why: "forgotten" }] });
        await api.world.run(2);
        return api.ask("GET /v1/gateways", "/v1/gateways");
      },
      200,
    ],
    refused: [
      async () => (await bare()).ask("GET /v1/gateways", "/v1/gateways", { headers: { authorization: "" } }),
      "unauthorized",
    ],
  },
  "POST /v1/gateways/{id}/forget": {
    ordinary: [
      async () =>
        (await running()).ask("POST /v1/gateways/{id}/forget", "/v1/gateways/g1/forget", { body: { reason: "gone" } }),
      200,
    ],
    refused: [
      async () =>
        (await bare()).ask("POST /v1/gateways/{id}/forget", "/v1/gateways/x/forget", { body: { reason: "gone" } }),
      "not-found",
    ],
  },
  "GET /v1/backup": {
    ordinary: [async () => (await bare()).ask("GET /v1/backup", "/v1/backup"), 200],
    refused: [
      async () => {
        api = await AskedApi.open({}, false);
        return api.ask("GET /v1/backup", "/v1/backup");
      },
      "not-found",
    ],
  },
  "GET /v1/services": {
    ordinary: [async () => (await running()).ask("GET /v1/services", "/v1/services"), 200],
    refused: [
      async () => (await bare()).ask("GET /v1/services", "/v1/services", { headers: { authorization: "" } }),
      "unauthorized",
    ],
  },
  "GET /v1/services/{service}": {
    ordinary: [async () => (await running()).ask("GET /v1/services/{service}", "/v1/services/support-rag"), 200],
    refused: [async () => (await bare()).ask("GET /v1/services/{service}", "/v1/services/nobody"), "not-found"],
  },
  "POST /v1/services/{service}/adopt": {
    ordinary: [async () => adopt(await ended(), "support-rag"), 200],
    refused: [async () => adopt(await bare(), "nobody"), "not-found"],
  },
  "POST /v1/claims": {
    ordinary: [async () => claim(await running(), DOCUMENT), 200],
    refused: [
      async () => claim(await running(), DOCUMENT.replace("release: r-stable", "release: r-other")),
      "conflict",
    ],
  },
  "POST /v1/telemetry": {
    ordinary: [async () => push(await running(), "g1"), 200],
    refused: [async () => push(await running(), "g2"), "bad-request"],
  },
  "GET /v1/routing/{service}": {
    ordinary: [async () => (await running()).ask("GET /v1/routing/{service}", "/v1/routing/support-rag"), 200],
    refused: [async () => (await bare()).ask("GET /v1/routing/{service}", "/v1/routing/nobody"), "not-found"],
  },
  "GET /v1/events": {
    ordinary: [async () => (await running()).ask("GET /v1/events", "/v1/events?after=0"), 200],
    refused: [
      async () => (await bare()).ask("GET /v1/events", "/v1/events", { headers: { authorization: "" } }),
      "unauthorized",
    ],
  },
};

async function bare(): Promise<AskedApi> {
  api = await AskedApi.open();
  return api;
}

async function signing(): Promise<AskedApi> {
  api = await AskedApi.open({ signer: await aSigner() });
  return api;
}

const adopt = (asked: AskedApi, service: string) =>
  asked.ask("POST /v1/services/{service}/adopt", `/v1/services/${service}/adopt`, {
    body: { url: "http://127.0.0.1:4009/answer", reason: "moved by hand" },
  });

const claim = (asked: AskedApi, document: string) =>
  asked.ask("POST /v1/claims", "/v1/claims", { body: { document, file: "r.yaml" } });

const push = (asked: AskedApi, gatewayId: string) => {
  const { plane, lastWindow, epochSeq } = asked.world.gateway;
  const { report } = plane.report("nonce-of-sixteen-letters", false);
  const body = { gateway_id: gatewayId, windows: [lastWindow], adopted: epochSeq, plane: report };
  return asked.ask("POST /v1/telemetry", "/v1/telemetry", { body, headers: { "sluice-version": "2" } });
};

const PROBED = {
  candidate: { failures: [{ kind: "error", what: "headers|5xx|503", runs: 2, question: "q1", excerpt: null }] },
} as const;

const SHADOW_STAGE: Stage = { kind: "shadow", holdMs: 2_000, capMs: 600_000, onCap: "wait" };

/** Everything that is told of the world's rollout. */
async function aboutRollout(): Promise<void> {
  const { value } = await api.ask("GET /v1/verdicts/{id}", `/v1/verdicts/${ID}`);
  expect(value).toMatchObject({ reports: [{ orderId: `${ID}/1/1` }] });
  const asked = [
    await api.ask("GET /v1/rollouts", "/v1/rollouts"),
    await api.ask("GET /v1/rollouts/{id}", `/v1/rollouts/${ID}`),
    await api.ask("GET /v1/rollouts/{id}/journal", `/v1/rollouts/${ID}/journal`),
    await api.ask("GET /v1/services/{service}", "/v1/services/support-rag"),
    await api.ask("GET /v1/routing/{service}", "/v1/routing/support-rag"),
    await api.ask("GET /v1/routing/{service}", "/v1/routing/support-rag", { headers: { "sluice-version": "2" } }),
    await api.ask("GET /v1/routing/{service}", "/v1/routing/support-rag", { headers: { accept: "text/event-stream" } }),
    await push(api, "g1"),
  ];
  expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 200));
  const { epoch, seq } = api.world.hub.current("support-rag") ?? {};
  const known = { headers: { "if-none-match": `"${epoch}.${seq}"` } };
  expect((await api.ask("GET /v1/routing/{service}", "/v1/routing/support-rag", known)).status).toBe(304);
}

describe("the contract", () => {
  it("names every route there is, and no other", async () => {
    const { app } = await bare();
    const served = app.routes.flatMap(({ method, path }) =>
      method === "ALL" ? [] : [`${method} ${path.replace(/:(\w+)/g, "{$1}")}`],
    );
    expect([...new Set(served)].sort()).toEqual(Object.keys(ROUTES).sort());
  });

  it("says of every route the right that its guard asks for", async () => {
    await bare();
    for (const [name, { right }] of Object.entries(ROUTES)) {
      const [method = "", path = ""] = name.split(" ");
      expect([name, rightOf(method, path.replace(/\{\w+\}/g, "x"), false)]).toEqual([name, right]);
    }
  });

  it.each(Object.entries(FORMS))("holds for %s, ordinary and refused", async (_, { ordinary, refused }) => {
    const [ask, status] = ordinary;
    const asked = await ask();
    expect([asked.status, asked.code]).toEqual([status, null]);
    await api.close();
    const [refusal, code] = refused;
    expect((await refusal()).code).toBe(code);
  });

  it("holds for rollouts of every kind: with copies, with a pace, failing, with probe reports, and to old planes", async () => {
    const pace = planPace();
    const paced = { pace: pace.pace, stages: stagesOfPace({ ...pace.ladder, soakMs: 2_000, watchMs: 1_000 }, false) };
    const stages: readonly Stage[] = [SHADOW_STAGE, traffic(20, 3_000), watch(1_000)];
    const gates = [aGate("shadow-errors", { ...shadowErrors.defaults }), ...shortPlan().gates];
    for (const over of [paced, { stages, shadow: aShadowOrder(), gates }, { leaseMs: 15_000, allow: ["user-1"] }]) {
      await bare();
      api.world.gateway.failureShare = over === paced ? 0 : 1;
      await api.world.controller.apply(shortPlan(over));
      await api.world.run(60);
      const report = { rolloutId: ID, orderId: `${ID}/1/1`, report: aProbeReport(PROBED) };
      await api.world.store.commit({ report });
      await aboutRollout();
      for (const { ts, event } of api.world.controller.feed.since(0)) sentEvent.parse({ ts, ...event });
      await api.close();
    }
  });

  it("would notice: a field too many, a missing one, an unlisted refusal and an unlisted status", async () => {
    await bare();
    const answer = (value: unknown, status = 200, type = "application/json") =>
      conforming("GET /healthz", new Response(JSON.stringify(value), { status, headers: { "content-type": type } }));
    expect((await answer({ ok: true })).status).toBe(200);
    await expect(answer({ ok: true, more: 1 })).rejects.toThrow("beyond the contract");
    await expect(answer({})).rejects.toThrow("beyond the contract");
    await expect(answer({ ok: true }, 201)).rejects.toThrow("does not name");
    const problem = { type: "urn:sluice:problem:conflict", title: "conflict", status: 409, detail: "another one runs" };
    await expect(answer(problem, 409, "application/problem+json")).rejects.toThrow("GET /healthz refused");
  });
});
