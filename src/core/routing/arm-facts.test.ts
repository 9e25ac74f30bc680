import { describe, expect, it } from "vitest";
import { aDocument } from "../../../test/documents.ts";
import { aProbeReport } from "../../../test/probe-report.ts";
import { aManifest } from "../../../test/controller/world.ts";
import { admit } from "./admit.ts";
import { armFacts } from "./arm-facts.ts";
import { renderDocument } from "./document.ts";

const states = (found: object) => {
  const report = aProbeReport().arms.candidate;
  const none = { "→": 0, "=": 0, "<>": 0, "←": 0, "×": 0, unknown: 0 };
  return { ...report, lambda: { ...report.lambda, states: { ...none, ...found } } };
};

describe("the facts of an arm", () => {
  it("are its manifest's revision, else its build time, and identity", () => {
    const { INDEX_HASH, METRIC, ANALYZER, BUILD_TS } = aManifest();
    const identity = { indexHash: INDEX_HASH, metric: METRIC, analyzer: ANALYZER };
    expect(armFacts(aManifest(), null)).toEqual({ revision: BUILD_TS, ...identity });
    expect(armFacts(aManifest({ revision: "rev-7" }), null)).toEqual({ revision: "rev-7", ...identity });
    expect(armFacts(null, null)).toEqual({});
  });

  it.each([
    [{ "→": 5, "=": 4 }, "→"],
    [{ "→": 5, "×": 5 }, "×"],
    [{ "<>": 1, unknown: 9 }, "<>"],
    [{ unknown: 9 }, undefined],
  ])("say the λ state of most questions, of several the worst: %j", (found, state) => {
    expect(armFacts(null, states(found)).lambdaState).toBe(state);
  });

  it("never have a document refused, whatever a health answer holds", () => {
    const odd = aManifest({
      INDEX_HASH: "",
      METRIC: "\ud800",
      ANALYZER: `${"a".repeat(199)}😀`,
      BUILD_TS: "x".repeat(999),
    });
    const facts = armFacts(odd, aProbeReport().arms.candidate);
    expect(facts.revision).toHaveLength(200);
    const { stable, candidate } = aDocument().arms;
    const document = aDocument({ arms: { stable: { ...stable, facts }, candidate } });
    expect(admit(document, null, 0).kind).toBe("adopt");
    expect(renderDocument({ ...document, version: 2 }, 1).arms.stable).toEqual(stable);
  });
});
