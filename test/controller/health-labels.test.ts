import { expect, it } from "vitest";
import { aManifest } from "./world.ts";
import { armFacts } from "../../src/core/routing/arm-facts.ts";
import { NOT_STATED, statedOnly } from "../../src/core/release/health-map.ts";

it("a field that a service does not state is no label of its arm, and the build time stands for an unstated revision", () => {
  const manifest = statedOnly(aManifest({ METRIC: NOT_STATED, revision: NOT_STATED, BUILD_TS: "2026-01-01" }));
  expect(armFacts(manifest, null)).toMatchObject({ revision: "2026-01-01" });
  expect(armFacts(manifest, null)).not.toHaveProperty("metric");
});
