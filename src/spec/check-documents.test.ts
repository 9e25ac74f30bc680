import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RoutingDocument } from "../core/routing/document.ts";
import { nextDocument } from "../core/rollout/routing-document.ts";
import { BP_NONE, bp, epochMs } from "../core/unit.ts";
import { createRouter } from "../edge/router.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import { KeyRing } from "../plane/key-ring.ts";
import { Plane } from "../plane/plane.ts";
import { planRollout, readRollout } from "../../test/known-drivers.ts";
import { isProblems } from "./read-rollout.ts";

const MUTANTS = Number(process.env["SLUICE_TEST_MUTANTS"] ?? 3_000);

/** Members of a rollout document that a mutant may have anything in. */
const ANY_PLACE = [
  "service",
  "stable",
  "candidate",
  "startsFrom",
  "changes",
  "route",
  "segments",
  "probes",
  "strategy",
  "metrics",
  "gates",
  "onFail",
  "stable.url",
  "stable.health",
  "stable.release",
  "candidate.url",
  "candidate.cachePrefix",
  "candidate.serves",
  "route.listen",
  "route.trustedProxies",
  "route.trustedHeaders",
  "route.stickyBy",
  "route.stickyFor",
  "route.allow",
  "route.drain",
  "route.lease",
  "route.upstreamIdle",
] as const;

type Json = { [key: string]: unknown };
const good = (): Json & { spec: Json & { stable: Json; candidate: Json; route: Json } } => ({
  apiVersion: "sluice/v1",
  kind: "Rollout",
  metadata: { name: "rag-7" },
  spec: {
    service: "rag",
    stable: { url: "http://127.0.0.1:4001/answer" },
    candidate: { url: "http://127.0.0.1:4002/answer" },
    route: { driver: "gateway", trustedHeaders: ["x-user-id"], stickyBy: [{ header: "x-user-id" }] },
    gates: [{ use: "default" }],
  },
});
const problemsOf = (document: object): readonly string[] => {
  const read = readRollout(JSON.stringify(document, null, 1));
  return isProblems(read) ? read.map(({ code, path }) => `${code} ${path}`) : [];
};

describe("a document that no gateway would take", () => {
  it.each<[string, string, (spec: ReturnType<typeof good>["spec"]) => void]>([
    ["a release with a space", "spec.candidate.release", ({ candidate }) => void (candidate["release"] = "v2 hotfix")],
    ["a release beyond ASCII", "spec.stable.release", ({ stable }) => void (stable["release"] = "größer")],
    [
      "prefixes that overlap",
      "spec.candidate.cachePrefix",
      (spec) => {
        spec.stable["cachePrefix"] = "v1:";
        spec.candidate["cachePrefix"] = "v1:b:";
      },
    ],
    ["a prefix with a space", "spec.stable.cachePrefix", ({ stable }) => void (stable["cachePrefix"] = "v 1:")],
    ["port 0", "spec.candidate.url", ({ candidate }) => void (candidate["url"] = "http://127.0.0.1:0/answer")],
    ["a drain of more than a week", "spec.route.drain", ({ route }) => void (route["drain"] = "200h")],
    [
      "a unit header the gateway keeps",
      "spec.route.stickyBy[0].header",
      ({ route }) => {
        route["trustedHeaders"] = ["host"];
        route["stickyBy"] = [{ header: "host" }];
      },
    ],
    ["a tester listed twice", "spec.route.allow", ({ route }) => void (route["allow"] = ["ann", "ann"])],
    [
      "an allow-list larger than a document may be",
      "spec.route.allow",
      ({ route }) => {
        route["allow"] = Array.from({ length: 8_000 }, (_, index) => `${index}-${"x".repeat(240)}`).slice(0, 1_900);
      },
    ],
  ])("is refused when it is read, at its place: %s", (_, path, change) => {
    const document = good();
    change(document.spec);
    expect(problemsOf(document)).toContain(`E127 ${path}`);
  });

  it("a gateway's own address is read as strictly: a port beyond 65535 is none", () => {
    const document = good();
    document.spec.route["listen"] = "127.0.0.1:99999";
    expect(problemsOf(document).join()).toContain("spec.route.listen");
  });

  it("however many keys it has, twenty unknown ones of a mapping are told, and all in a time that grows with the text", () => {
    const many = Object.fromEntries(Array.from({ length: 40_000 }, (_, index) => [`k${index}`, index]));
    expect(problemsOf({ ...good(), ...many })).toHaveLength(20);
    const spec = { ...good().spec, gates: Array.from({ length: 2_000 }, () => ({ use: 1 })) };
    expect(problemsOf({ ...good(), spec }).length).toBeLessThan(3_000);
  });

  it("a good document has no problem", () => {
    expect(problemsOf(good())).toEqual([]);
  });

  const text = fc.oneof(
    fc.constantFrom(
      "",
      " ",
      "v1:",
      "v1:b:",
      "stable:",
      "ä",
      "x".repeat(130),
      "a b",
      "\u0000",
      "\ud800",
      "true",
      "1",
      "a\nb",
    ),
    fc.string({ maxLength: 12 }),
  );
  const url = fc.oneof(
    fc.constantFrom(
      "http://127.0.0.1:0/a",
      "http://[::1]:80/",
      "https://ex ample/",
      "http://a_b/",
      "http://h.:99/",
      "http://münchen/",
    ),
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
  );
  const header = fc.constantFrom(
    "x-user-id",
    "Host",
    "x-exp",
    "TE",
    "cookie",
    "x_user",
    "authorization",
    "x-model-tag",
    "",
  );
  const change = fc.oneof(
    fc.tuple(
      fc.constantFrom("stable.release", "candidate.release", "stable.cachePrefix", "candidate.cachePrefix"),
      text,
    ),
    fc.tuple(fc.constantFrom("stable.url", "candidate.url"), url),
    fc.tuple(
      fc.constantFrom("route.drain", "route.stickyFor", "route.lease"),
      fc.constantFrom("0s", "1s", "99999h", "10m", "11m", "off"),
    ),
    fc.tuple(fc.constant("route.trustedHeaders"), fc.array(header, { maxLength: 20 })),
    fc.tuple(
      fc.constant("route.stickyBy"),
      fc.array(
        header.map((name) => ({ header: name })),
        { maxLength: 18 },
      ),
    ),
    fc.tuple(fc.constant("route.allow"), fc.array(text, { maxLength: 6 })),
    fc.tuple(fc.constant("service"), text),
    // Anything anywhere; undefined takes a member away.
    fc.tuple(
      fc.constantFrom(...ANY_PLACE),
      fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined), text, fc.integer(), fc.constant([])),
    ),
  );

  /** The documents of a rollout's life: a share, the way back, a promotion. */
  function documentsOf(plan: RolloutPlan, share: number): readonly RoutingDocument[] {
    const heard = { store: "0".repeat(32), highestEpoch: 4 };
    const step = {
      candidateBp: bp(share),
      closed: [],
      arms: "both",
      newEpoch: false,
    } as const;
    const back = { ...step, candidateBp: BP_NONE, closed: ["candidate"], newEpoch: true } as const;
    const documents: RoutingDocument[] = [];
    for (const split of [step, back, { ...step, candidateBp: BP_NONE, arms: "swap" } as const])
      documents.push(nextDocument(plan, split, documents.at(-1) ?? null, epochMs(1), heard));
    return documents;
  }

  /** What a running gateway's brain and a running edge router answer to each document, as the text that they get. */
  async function answersTo(documents: readonly RoutingDocument[]): Promise<readonly string[]> {
    const before = { ...(documents[0] as RoutingDocument), epoch: 1, seq: 1 };
    const router = createRouter({ document: before, keys: "accept-unsigned" });
    const clock = { monoMs: () => 0, wallMs: () => epochMs(0) };
    const keys = new KeyRing("unsigned");
    const plane = new Plane({ document: before, clock, keys, prepare: (table) => table });
    const answers: string[] = [];
    for (const document of documents) {
      const text = JSON.stringify(document);
      answers.push((await plane.offer(text)).kind, (await router.updateDocument(text)).kind);
      for (const arm of [document.arms.stable, document.arms.candidate])
        for (const endpoint of arm?.endpoints ?? []) new URL(endpoint);
    }
    return answers;
  }

  it(`I21, S13: of ${MUTANTS} mutants each one that is accepted is taken by plane and edge router, and none throws`, async () => {
    let accepted = 0;
    const mutant = fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 0, max: 10_000 }),
      async (changes, share) => {
        const document = good();
        for (const [path, value] of changes) {
          const [part = "", key] = path.split(".");
          const place = key === undefined ? document.spec : document.spec[part];
          if (typeof place === "object" && place !== null) (place as Json)[key ?? part] = value;
        }
        const read = readRollout(JSON.stringify(document));
        if (isProblems(read)) return;
        accepted++;
        const paths = { set: null, map: null, corpus: null };
        const context = { file: "r.yaml", generation: 3, seed: 7, documentDigest: "d", goldDigest: "", paths };
        const documents = documentsOf(planRollout(read.document, read.source, context), share);
        expect(new Set(await answersTo(documents))).toEqual(new Set(["adopt"]));
      },
    );
    await fc.assert(mutant, { numRuns: MUTANTS });
    console.info(`${MUTANTS} mutants, ${accepted} accepted, each taken by both`);
    expect(accepted).toBeGreaterThan(MUTANTS / 100);
  }, 900_000);
});
