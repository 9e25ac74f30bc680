import { describe, expect, it } from "vitest";
import { smokeProbe } from "../../src/probe/smoke.ts";
import { type FakeOptions, fakeService } from "./fake-service.ts";
import { goldOf, systemClock, target } from "./world.ts";

const corpus = ["berth", "crane", "pilot", "tide", "rope", "anchor"].map((word, index) => ({
  doc: "harbour",
  section: `s${index}`,
  text: `The ${word} of the harbour is described here, as every ${word} master knows well.`,
}));
const gold = (doc: string) =>
  goldOf(
    corpus
      .map(({ section, text }) => {
        const word = text.split(" ")[1];
        const phrasings = [`Where is the ${word} described?`, `What of the ${word}?`, `Tell me about the ${word} here`];
        return JSON.stringify({ id: section, topic: "t", phrasings, answerable: true, gold: [{ doc, section }] });
      })
      .join("\n"),
  ).items;

async function smoke(
  stable: Partial<FakeOptions>,
  candidate: Partial<FakeOptions>,
  over: { readonly doc?: string; readonly needsText?: boolean } = {},
) {
  const services = [await fakeService({ corpus, ...stable }), await fakeService({ corpus, ...candidate })] as const;
  try {
    const problem = await smokeProbe({
      targets: { stable: target(services[0].url), candidate: target(services[1].url) },
      gold: gold(over.doc ?? "harbour"),
      needsText: over.needsText ?? true,
      k: 3,
      seed: 1,
      requestsPerSecond: null,
      concurrency: 4,
      timeoutMs: 2_000,
      clock: systemClock,
      fetch,
      store: null,
      signal: new AbortController().signal,
    });
    return { problem, asked: services.map((service) => service.requests()) };
  } finally {
    for (const service of services) await service.close();
  }
}

const refuses = { instead: () => ({ status: 401, raw: "who are you?" }) };
const breaks = { instead: () => ({ raw: '{"text":"x"}' }) };

describe("a few questions before a rollout begins", () => {
  it("find nothing wrong with two healthy arms, and ask each four questions", async () => {
    expect(await smoke({}, {})).toEqual({ problem: null, asked: [4, 4] });
  });

  it("say which arm answers no probe, what it answered instead, and where", async () => {
    const { problem } = await smoke({}, refuses);
    expect(problem).toMatchObject({ kind: "unanswered" });
    expect(problem?.reason).toMatch(/^4 of 4 questions to candidate at http:\S+\/answer answered 401: who are you\?$/);
    expect((await smoke(refuses, {})).problem?.reason).toContain("4 of 4 questions to stable");
  });

  it("say that the contract or the mapping is wrong when stable itself breaks it; a candidate alone is the gates' business", async () => {
    expect((await smoke(breaks, breaks)).problem).toEqual({
      kind: "unfit",
      reason: 'field `answer` is missing in 4 of 4 answers of stable: {"text":"x"}',
    });
    expect((await smoke({}, breaks)).problem).toBeNull();
  });

  it("say that the gold set is of another service when no arm returns any of its ids", async () => {
    expect((await smoke({}, {}, { doc: "Harbour" })).problem).toMatchObject({
      kind: "unfit",
      reason: expect.stringMatching(
        /^0 of 6 gold ids are among the \d sections that both arms returned; the set names Harbour s0, what comes back is named like harbour s\d$/,
      ),
    });
    expect((await smoke({}, {})).problem).toBeNull();
  });
});
