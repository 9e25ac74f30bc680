import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importProblem, LAYERS, type Layers } from "./layers.ts";
import { importsOf, type SourceFile } from "./source-files.ts";
import { recipeOf, TemporaryCopy } from "./temporary-copy.ts";

/** The plane a reader would write after the five lines: it carries requests that are objects in memory. */
const PLANE = `
import { answerLabels, isHopByHop, isInternalHeader, requestLabels } from "../core/routing/headers.ts";
import { type RouteTable, route } from "../core/routing/route.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { TelemetryWindow } from "../core/window/window.ts";
import { KeyRing } from "../plane/key-ring.ts";
import { RecordedPlane } from "../plane/recorded-plane.ts";
import type { Clock } from "../ports/clock.ts";

export function inMemory(
  document: RoutingDocument,
  trusted: readonly string[],
  clock: Clock,
  onWindow: (window: TelemetryWindow) => void,
) {
  const prepare = (table: RouteTable) => table;
  const keys = new KeyRing({ trusted, retired: [] });
  const plane = new RecordedPlane({ document, gatewayId: "memory.1", clock, keys, prepare, onWindow });
  const none: ReadonlySet<string> = new Set();
  return {
    plane,
    ask(fields: readonly (readonly [string, string])[]) {
      const table = plane.planAt(clock.monoMs());
      const unit = fields.find(([name]) => name === "x-user-id")?.[1] ?? null;
      const { arm, hash, target, ...rest } = route(table, unit, null, null);
      const slot = plane.recorder.arrive({ arm, hash, target, ...rest });
      const kept = fields.filter(([name]) => !isHopByHop(name, none) && !isInternalHeader(name));
      const toService = [...kept.flat(), ...requestLabels(arm, target.cachePrefix)];
      plane.recorder.record(slot, hash, "warm", 1, null, clock.monoMs());
      return { arm, toService, toClient: answerLabels(table, arm) };
    },
  };
}
`;

/** Runs every case of the suite against it and counts what it recorded. */
const RUN = `
import { inMemory } from "./plane.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { planeDocument, planeSuite } from "../testing/plane-suite.ts";
import { makeSuiteSigner } from "../testing/suite-signer.ts";

let requests = 0;
for (const one of planeSuite) {
  const signer = await makeSuiteSigner();
  const { plane, ask } = inMemory(planeDocument(1, 0), [signer.publicKey], manualClock(), ({ arms }) => {
    requests += arms.stable.requestsAll + arms.candidate.requestsAll;
  });
  await one.run({ offer: async (text) => (await plane.offer(text)).kind, ask: async (fields) => ask(fields) }, signer);
  plane.cut();
}
console.log(JSON.stringify({ cases: planeSuite.length, requests }));
`;

let copy: TemporaryCopy;
beforeAll(() => {
  copy = new TemporaryCopy(["src", "package.json", "tsconfig.base.json", "tsconfig.edge.json"]);
  copy.write("src/memory/plane.ts", PLANE);
});
afterAll(() => copy.remove());

describe("the recipe “Add a plane” of ARCHITECTURE.md", () => {
  it("has five lines, and every name in them exists", () => {
    const recipe = recipeOf("Add a plane");
    expect(recipe.match(/^\d\. /gm)).toHaveLength(5);
    for (const name of ["RecordedPlane", "requestLabels", "answerLabels", "isHopByHop", "planeConformance"]) {
      expect(recipe).toContain(name);
    }
  });

  it("gives a plane that compiles for the web, keeps the layer rules and passes the suite", () => {
    const file: SourceFile = { path: "src/memory/plane.ts", text: PLANE, lines: 0 };
    const problems = (table: Layers) => importsOf(PLANE).flatMap((one) => importProblem(file, one, table) ?? []);
    expect(problems(LAYERS)[0]).toContain("unknown layer");
    expect(problems({ ...LAYERS, memory: { layers: ["core", "ports", "plane"], node: false, npm: [] } })).toEqual([]);
    copy.edit("tsconfig.edge.json", ['"src/plane/**/*.ts"', '"src/plane/**/*.ts", "src/memory/**/*.ts"']);
    copy.write("src/memory/run.ts", RUN);
    const emit = ["--noEmit", "false", "--outDir", "out", "--rootDir", "src"];
    expect(copy.runPackage("tsc", ["-p", "tsconfig.edge.json", ...emit])).toEqual({ status: 0, said: "" });
    const { said } = copy.run(process.execPath, ["out/memory/run.js"]);
    const { cases, requests } = JSON.parse(said) as { cases: number; requests: number };
    expect(cases).toBeGreaterThanOrEqual(5);
    expect(requests).toBeGreaterThanOrEqual(cases);
  }, 300_000);
});
