import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { observed } from "../../src/drivers/health/http/answer.ts";
import { checkAnswer } from "../../src/probe/answer-schema.ts";
import { readTargetMap, requestOf } from "../../src/probe/map.ts";
import { planAccess, readAccess } from "../../src/spec/access-schema.ts";
import { healthMapSchema } from "../../src/spec/health-map-schema.ts";

/** The blocks of a page that are marked so, such as ```yaml map. */
function blocks(page: string, mark: string): readonly string[] {
  const text = readFileSync(`docs/services/${page}.md`, "utf8");
  return [...text.matchAll(/^```(\S+ \S+)\n([^]*?)^```$/gm)].flatMap(([, found, block = ""]) =>
    found === mark ? [block] : [],
  );
}

describe("docs/services", () => {
  it("shows a probe and an answer that are what is sent and understood", () => {
    const [request = "", ...more] = blocks("contract", "json request");
    const asked = JSON.parse(request) as { question: string; k: number; seed: number };
    expect(requestOf("http://127.0.0.1/", asked, null).body).toEqual(asked);
    expect(more).toEqual([]);
    const [answer = ""] = blocks("contract", "json answer");
    expect(checkAnswer(JSON.parse(answer), 10).kind).toBe("answer");
  });

  it("shows a whole health answer, and a map of another one", () => {
    const [answer = ""] = blocks("contract", "json health");
    expect(observed(200, answer, null).kind).toBe("read");
    const [map = ""] = blocks("contract", "yaml healthMap");
    expect(healthMapSchema.safeParse((parse(map) as { healthMap: unknown }).healthMap).success).toBe(true);
  });

  it("shows mappings that are read without a problem, the nine of the examples as they are", () => {
    const maps = blocks("mapping", "yaml map");
    expect(maps.map((map) => readTargetMap(map)).filter((read) => !("targetMap" in read))).toEqual([]);
    expect(maps).toHaveLength(10);
    for (const name of readFileSync("docs/services/mapping.md", "utf8").matchAll(/^### (\S+)$/gm)) {
      expect(maps).toContain(readFileSync(`examples/services/${name[1]}/map.yaml`, "utf8"));
    }
  });

  it("shows credentials that a document may hold", () => {
    const shown = blocks("access", "yaml access").map((block) =>
      readAccess((parse(block) as { access: unknown }).access),
    );
    expect(shown.flatMap((read) => ("problems" in read ? read.problems : []))).toEqual([]);
    expect(shown.map((read) => "access" in read && planAccess(read.access).authorization?.kind)).toEqual([
      "bearer",
      "basic",
      "oauth",
    ]);
  });
});
