import { describe, expect, it } from "vitest";
import type { ByArm } from "../../arm.ts";
import type { Manifest, ManifestField, ObservedManifest, PinnedManifests } from "../../release/manifest.ts";
import type { Verdict } from "../../verdict.ts";
import { parity } from "./parity.ts";

const STABLE: Manifest = {
  release_id: "r1",
  INDEX_HASH: "0xa",
  METRIC: "cosine",
  ANALYZER: "standard",
  EMBED_SCHEMA: "e1",
  RERANK_CONF: "k1",
  PROMPT_VER: "p1",
  MODEL_VER: "m@1",
  SCHEMA_REV: { min: "sc-10", max: "sc-12" },
  secrets_rev: "s1",
  BUILD_TS: "2026-01-01T00:00:00Z",
};
/** Everything a release may change without a word, changed. */
const CANDIDATE: Manifest = {
  ...STABLE,
  release_id: "r2",
  INDEX_HASH: "0xb",
  RERANK_CONF: "k2",
  PROMPT_VER: "p2",
  MODEL_VER: "m@2",
  SCHEMA_REV: { min: "sc-12", max: "sc-14" },
};
const PINNED = { stable: STABLE, candidate: CANDIDATE };
const DOWN: ObservedManifest = { kind: "unreadable", reason: "503" };

const read = (manifest: Manifest): ObservedManifest => ({ kind: "read", manifest });

function judgeParity(
  pinned: PinnedManifests,
  observed: ByArm<ObservedManifest>,
  changes: readonly ManifestField[],
): Verdict {
  const verdict = parity.judgeIdentity?.(pinned, observed, changes);
  if (verdict === undefined) throw new Error("parity judges identity");
  return verdict;
}

describe("parity", () => {
  it("GQ-25: passes a candidate of another index, prompt and model whose metric, analyzer and embedding agree", () => {
    const verdict = judgeParity(null, { stable: read(STABLE), candidate: read(CANDIDATE) }, []);
    expect([verdict.kind, verdict.gate]).toEqual(["pass", "parity"]);
    const differ = (["release_id", "INDEX_HASH"] as const).filter((field) => STABLE[field] !== CANDIDATE[field]);
    expect(differ).toContain("INDEX_HASH");
    expect(verdict.reason).toMatch(/^identity fields \(METRIC, ANALYZER, EMBED_SCHEMA\) agree or are declared; /);
    for (const field of differ)
      expect(verdict.reason).toMatch(new RegExp(`; .*${field}.* differ, as a new release may`));
    expect(judgeParity(null, { stable: read(STABLE), candidate: read(STABLE) }, []).reason).not.toContain("differ");
  });

  it.each([
    ["METRIC", "l2"],
    ["ANALYZER", "icu"],
    ["EMBED_SCHEMA", "e2"],
  ] satisfies [ManifestField, string][])("GQ-25, GQ-26, IX-3: %s may differ only when declared", (field, value) => {
    const observed = { stable: read(STABLE), candidate: read({ ...CANDIDATE, [field]: value }) };
    const verdict = judgeParity(null, observed, []);
    expect(verdict.kind).toBe("fail");
    expect(verdict.reason).toContain(`${field} ${STABLE[field]} != ${value}; list ${field} under spec.changes`);
    expect(judgeParity(null, observed, [field]).kind).toBe("pass");
    const others = (["METRIC", "ANALYZER", "EMBED_SCHEMA"] as const).filter((name) => name !== field);
    expect(judgeParity(null, observed, others).kind).toBe("fail");
  });

  it.each(Object.keys(STABLE).filter((field) => field !== "BUILD_TS") as ManifestField[])(
    "SL-5: fails when %s of either arm is no longer what was pinned, declared or not",
    (field) => {
      const changed = field === "SCHEMA_REV" ? { min: "sc-1", max: "sc-99" } : "changed";
      for (const arm of ["stable", "candidate"] as const) {
        const observed = {
          stable: read(STABLE),
          candidate: read(CANDIDATE),
          [arm]: read({ ...PINNED[arm], [field]: changed }),
        };
        const verdict = judgeParity(PINNED, observed, [field]);
        expect(verdict.kind).toBe("fail");
        expect(verdict.reason).toMatch(new RegExp(`^${arm} is no longer the release .*: ${field} .* != `));
      }
    },
  );

  it("takes a follower built later from the same inputs for the same release", () => {
    const rebuilt = { ...CANDIDATE, BUILD_TS: "2026-02-02T00:00:00Z" };
    expect(judgeParity(PINNED, { stable: read(STABLE), candidate: read(rebuilt) }, []).kind).toBe("pass");
  });

  it.each(["stable", "candidate"] as const)(
    "is an error, neither pass nor fail, while %s does not say what it is",
    (arm) => {
      const observed = { stable: read(STABLE), candidate: read(CANDIDATE), [arm]: DOWN };
      const verdict = judgeParity(PINNED, observed, []);
      expect([verdict.kind, verdict.needs]).toEqual(["error", `a health answer of ${arm}`]);
      expect(verdict.reason).toContain(`the health answer of ${arm} cannot be read: 503`);
    },
  );

  it.each(["stable", "candidate"] as const)(
    "fails on the drift of %s while the other arm does not answer",
    (drifted) => {
      const observed = { stable: DOWN, candidate: DOWN, [drifted]: read({ ...PINNED[drifted], INDEX_HASH: "0xc" }) };
      const verdict = judgeParity(PINNED, observed, []);
      expect([verdict.kind, verdict.reason]).toEqual(["fail", expect.stringContaining(`${drifted} is no longer`)]);
    },
  );
});
