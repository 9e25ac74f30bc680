import { afterEach, describe, expect, it } from "vitest";
import { AskedApi } from "./asked-api.ts";

const ID = "support-rag-7";
const rollout = (name: string, strategy: string) => ({
  document: `apiVersion: sluice/v1
kind: Rollout
metadata: { name: ${name} }
spec:
  service: support-rag
  stable: { url: "http://127.0.0.1:4001/answer", release: r-stable }
  candidate: { url: "http://127.0.0.1:4002/answer", release: r-candidate }
  route: { driver: gateway, listen: "127.0.0.1:4000", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: ${strategy}
  gates: [{ use: default }]
`,
  file: "r.yaml",
  gold_digest: "",
  paths: { set: null, map: null, corpus: null },
});
const CANARY = "{ canary: { steps: [{ weight: 20, hold: 3s }, { weight: 100, hold: 1s }] } }";
const CUTOVER = "{ blueGreen: { hold: 1m } }";

let api: AskedApi;
afterEach(() => api.close());

describe("one process at a time orders a service's traffic", () => {
  it("refuses a cutover while a rollout runs, and one that has a rollout's name after its end", async () => {
    api = await AskedApi.open();
    const begun = await api.ask("POST /v1/rollouts", "/v1/rollouts", { body: rollout(ID, CANARY) });
    expect(begun.status).toBe(201);
    await api.world.run(8);
    const busy = await api.ask("POST /v1/cutovers", "/v1/cutovers", { body: rollout("other", CUTOVER) });
    expect([busy.status, JSON.stringify(busy.value)]).toEqual([409, expect.stringContaining("sluice abort")]);
    await api.ask("POST /v1/rollouts/{id}/abort", `/v1/rollouts/${ID}/abort`, { body: {} });
    await api.world.run(8);
    const named = await api.ask("POST /v1/cutovers", "/v1/cutovers", { body: rollout(ID, CUTOVER) });
    expect([named.status, JSON.stringify(named.value)]).toEqual([
      409,
      expect.stringContaining("is the name of a rollout"),
    ]);
    const free = await api.ask("POST /v1/cutovers", "/v1/cutovers", { body: rollout("other", CUTOVER) });
    expect(free.status).toBe(201);
  });

  it("refuses a rollout while a cutover runs, and one that has a cutover's name after its end", async () => {
    api = await AskedApi.open();
    await api.ask("POST /v1/cutovers", "/v1/cutovers", { body: rollout(ID, CUTOVER) });
    await api.world.run(8);
    const busy = await api.ask("POST /v1/rollouts", "/v1/rollouts", { body: rollout("other", CANARY) });
    expect([busy.status, JSON.stringify(busy.value)]).toEqual([409, expect.stringContaining(`sluice status ${ID}`)]);
    await api.ask("POST /v1/cutovers/{id}/abort", `/v1/cutovers/${ID}/abort`, { body: {} });
    await api.world.run(20);
    const named = await api.ask("POST /v1/rollouts", "/v1/rollouts", { body: rollout(ID, CANARY) });
    expect([named.status, JSON.stringify(named.value)]).toEqual([
      409,
      expect.stringContaining("is the name of a cutover"),
    ]);
  });
});
