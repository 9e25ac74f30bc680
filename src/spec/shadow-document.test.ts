import { describe, expect, it } from "vitest";
import { planRollout, readRollout } from "../../test/known-drivers.ts";
import { isProblems } from "./read-rollout.ts";

const document = (shadow: string, gates = "[{ use: demo }]", more = "") => `
apiVersion: sluice/v1
kind: Rollout
metadata: { name: r1 }
spec:
  service: rag
  stable: { url: "http://127.0.0.1:4001/answer" }
  candidate: { url: "http://127.0.0.1:4002/answer" }
  route: { driver: gateway, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  ${shadow}
  ${more}
  gates: ${gates}
`;

function planned(text: string) {
  const read = readRollout(text);
  if (isProblems(read)) throw new Error(JSON.stringify(read));
  const paths = { set: null, map: null, corpus: null };
  return planRollout(read.document, read.source, {
    file: "r.yaml",
    generation: 1,
    seed: 1,
    documentDigest: "",
    goldDigest: "",
    paths,
  });
}

function problemsOf(text: string): readonly string[] {
  const read = readRollout(text);
  return isProblems(read) ? read.map(({ code, path }) => `${code} ${path}`) : [];
}

describe("spec.shadow", () => {
  it("X-6: is the phase before every share: 1 % of the requests are copied before the first user is sent", () => {
    const steps = "strategy: { canary: { steps: [{ weight: 1, hold: 1m }] } }";
    const plan = planned(document("shadow: { share: 1, hold: 24h }", "[{ use: demo }]", steps));
    expect(plan.stages.map(({ kind }) => kind)).toEqual(["shadow", "traffic", "watch"]);
    expect(plan.stages[0]).toMatchObject({ holdMs: 86_400_000, capMs: 86_400_000, onCap: "wait" });
    expect(plan.shadow?.shareBp).toBe(100);
  });

  it("copies reads alone, denies effects and keeps nothing of the user, unless the document says so", () => {
    const { shadow, gates } = planned(document("shadow: {}"));
    expect(shadow).toEqual({
      shareBp: 1_000,
      perSecond: 50,
      inFlight: 16,
      bodyBytes: 65_536,
      timeoutMs: 30_000,
      methods: ["GET", "HEAD"],
      paths: [],
      headers: [],
      effects: "deny",
    });
    const read = gates.flatMap(({ gate, source }) => (source === "spec.shadow" ? [gate] : []));
    expect(read).toEqual(["shadow-errors", "shadow-p95"]);
    expect(planned(document("")).gates.some(({ gate }) => gate.startsWith("shadow"))).toBe(false);
    expect(planned(document("")).stages.some(({ kind }) => kind === "shadow")).toBe(false);
  });

  it.each<readonly [string, string]>([
    ["shadow: { share: 0 }", "E105 spec.shadow.share"],
    ["shadow: { methods: [POST] }", "E137 spec.shadow.methods"],
    ["shadow: { methods: [get] }", "E105 spec.shadow.methods[0]"],
    ["shadow: { paths: [answer] }", "E105 spec.shadow.paths[0]"],
    ["shadow: { headers: [x-tenant, Idempotency-Key] }", "E137 spec.shadow.headers[1]"],
    ["shadow: { headers: [x-exp] }", "E137 spec.shadow.headers[0]"],
    ["shadow: { timeout: 11m }", "E137 spec.shadow.timeout"],
    ["shadow: { hold: 2h, cap: 1h }", "E117 spec.shadow.cap"],
    ["shadow: { effects: some }", "E108 spec.shadow.effects"],
    ["shadow: { percent: 1 }", "E104 spec.shadow.percent"],
  ])("%s is refused: %s", (shadow, problem) => {
    expect(problemsOf(document(shadow))).toEqual([problem]);
  });

  it("takes POST on paths that are named, and gates over pairs only beside a shadow", () => {
    expect(problemsOf(document("shadow: { methods: [POST], paths: [/answer] }"))).toEqual([]);
    const own = "[{ use: demo }, { gate: shadow-errors, margin: 0.05 }]";
    expect(problemsOf(document("", own))).toEqual(["E137 spec.gates[1]"]);
    const { gates } = planned(document("shadow: {}", own));
    expect(gates.find(({ gate }) => gate === "shadow-errors")?.options["margin"]).toBe(0.05);
  });
});
