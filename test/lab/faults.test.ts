import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HARBOUR_GOLD, HARBOUR_QUESTIONS, harbourCorpus } from "./harbour-corpus.ts";
import { ask, post, type WireAnswer, withLab } from "./lab-client.ts";

let corpus: Awaited<ReturnType<typeof harbourCorpus>>;
beforeAll(async () => {
  corpus = await harbourCorpus();
});
afterAll(() => corpus.remove());
const withFaults = (faults: readonly string[], options: object = {}) => ({
  corpus: corpus.path,
  index: "harbour",
  faults,
  ...options,
});

type Health = Record<string, string>;

async function healthOf(faults: readonly string[]): Promise<Health> {
  return withLab(withFaults(faults), async ({ health }) => (await (await fetch(health)).json()) as Health);
}

async function answersOf(faults: readonly string[], k = 5): Promise<WireAnswer[]> {
  return withLab(withFaults(faults), ({ url }) =>
    Promise.all(HARBOUR_QUESTIONS.map((question) => ask(url, question, k))),
  );
}

function hitShare(answers: readonly WireAnswer[]): number {
  return (
    answers.filter(({ retrieved }, i) => retrieved.some(({ section }) => section === HARBOUR_GOLD[i]!.section)).length /
    answers.length
  );
}

describe("planted faults over HTTP", () => {
  it("healthy: changes PROMPT_VER and release_id and no answer", async () => {
    const [stable, candidate] = [await healthOf([]), await healthOf(["healthy"])];
    expect(candidate["PROMPT_VER"]).not.toBe(stable["PROMPT_VER"]);
    expect(candidate["release_id"]).not.toBe(stable["release_id"]);
    for (const field of ["INDEX_HASH", "METRIC", "ANALYZER", "EMBED_SCHEMA", "RERANK_CONF", "MODEL_VER"]) {
      expect(candidate[field], field).toBe(stable[field]);
    }
    const untimed = (answers: WireAnswer[]) => answers.map(({ timings_ms: _timings, ...rest }) => rest);
    expect(untimed(await answersOf(["healthy"]))).toEqual(untimed(await answersOf([])));
  });

  it("dropped-sections: 0.3 of the sections of two documents are gone from the index and its hash shows it", async () => {
    expect((await healthOf(["dropped-sections"]))["INDEX_HASH"]).not.toBe((await healthOf([]))["INDEX_HASH"]);
    await withLab(withFaults(["dropped-sections"]), async ({ sections, url }) => {
      expect(sections).toBe(20 - 2 - 2); // Two documents of five: round(1.5) each.
      const found = new Set<string>();
      for (const question of HARBOUR_QUESTIONS)
        for (const { section } of (await ask(url, question, 50)).retrieved) found.add(section);
      const lost = HARBOUR_GOLD.filter(({ section }) => !found.has(section));
      expect(lost).toHaveLength(4);
      expect(new Set(lost.map(({ doc }) => doc)).size).toBe(2);
    });
  });

  it("swapped-ids: same texts in the same order under other ids, in results and citations", async () => {
    const [stable, candidate] = [await answersOf([]), await answersOf(["swapped-ids"])];
    expect(hitShare(stable)).toBe(1);
    for (const [i, answer] of candidate.entries()) {
      expect(answer.answer).toBe(stable[i]!.answer);
      expect(answer.retrieved.map(({ text }) => text)).toEqual(stable[i]!.retrieved.map(({ text }) => text));
      expect(answer.retrieved[0]!.section).not.toBe(stable[i]!.retrieved[0]!.section);
      expect(answer.citations[0]!.section).toBe(answer.retrieved[0]!.section);
      expect(answer.citations[0]!.section.startsWith(`${answer.citations[0]!.doc}#`)).toBe(true);
    }
    expect((await healthOf(["swapped-ids"]))["INDEX_HASH"]).toBe((await healthOf([]))["INDEX_HASH"]);
  });

  it("tiny-chunks: 8 words a chunk, a new INDEX_HASH, and k chunks no longer hold a section", async () => {
    const answers = await answersOf(["tiny-chunks"], 2);
    for (const { retrieved } of answers)
      for (const { text } of retrieved) expect(text.split(/\s+/).length).toBeLessThanOrEqual(8);
    expect((await healthOf(["tiny-chunks"]))["INDEX_HASH"]).not.toBe((await healthOf([]))["INDEX_HASH"]);
    const held = (all: readonly WireAnswer[]) => {
      return all.map(
        ({ retrieved }, i) =>
          retrieved
            .filter(({ section }) => section === HARBOUR_GOLD[i]!.section)
            .map(({ text }) => text)
            .join(" ").length,
      );
    };
    const [tiny, whole] = [held(answers), held(await answersOf([], 2))];
    expect(tiny.filter((length, i) => length < 0.7 * whole[i]!).length).toBeGreaterThanOrEqual(18);
  });

  it("wrong-metric: says l2, keeps the embedder, and ranks otherwise", async () => {
    const [stable, candidate] = [await healthOf([]), await healthOf(["wrong-metric"])];
    expect([stable["METRIC"], candidate["METRIC"]]).toEqual(["cosine", "l2"]);
    expect(candidate["EMBED_SCHEMA"]).toBe(stable["EMBED_SCHEMA"]);
    expect(candidate["INDEX_HASH"]).not.toBe(stable["INDEX_HASH"]);
    const order = (answers: WireAnswer[]) => answers.map(({ retrieved }) => retrieved.map(({ section }) => section));
    expect(order(await answersOf(["wrong-metric"]))).not.toEqual(order(await answersOf([])));
  });

  it("slow: multiplies the model time of every request", async () => {
    const reasons = (faults: readonly string[]) =>
      withLab(withFaults(faults, { modelMs: 5 }), async ({ url }) => {
        const times: number[] = [];
        for (let i = 0; i < 25; i++) times.push((await ask(url, HARBOUR_QUESTIONS[0]!)).timings_ms.reason);
        return times;
      });
    const [stable, slow] = [await reasons([]), await reasons(["slow=1.6"])];
    for (const [i, time] of stable.entries()) expect(slow[i]! / time).toBeCloseTo(1.6, 2);
  });

  it("errors: the drawn requests get 503 as problem+json, and the seed repeats which", async () => {
    const statuses = () =>
      withLab(withFaults(["errors=0.3"]), async ({ url }) => {
        const found: number[] = [];
        for (let i = 0; i < 60; i++) {
          const response = await post(url, { question: HARBOUR_QUESTIONS[0]! });
          found.push(response.status);
          const type = response.headers.get("content-type");
          expect(type).toBe(response.status === 503 ? "application/problem+json" : "application/json");
          await response.arrayBuffer();
        }
        return found;
      });
    const first = await statuses();
    expect(first.filter((status) => status === 503).length).toBeGreaterThan(8);
    expect(first.filter((status) => status === 200).length).toBeGreaterThan(30);
    expect(await statuses()).toEqual(first);
  });

  it("new-error-class: status 200 and then a body that ends too early, as JSON and as a stream", async () => {
    await withLab(withFaults(["new-error-class=1"]), async ({ url }) => {
      for (const accept of ["application/json", "text/event-stream"]) {
        const response = await post(url, { question: HARBOUR_QUESTIONS[0]! }, { headers: { accept } });
        expect(response.status).toBe(200);
        await expect(response.text(), accept).rejects.toThrow();
      }
    });
  });

  it("schema-break: the drawn answers cite by plain strings", async () => {
    await withLab(withFaults(["schema-break=0.5"]), async ({ url }) => {
      const shapes: string[] = [];
      for (let i = 0; i < 40; i++) shapes.push(typeof (await ask(url, HARBOUR_QUESTIONS[0]!)).citations[0]);
      expect(shapes.filter((shape) => shape === "string").length).toBeGreaterThan(8);
      expect(shapes.filter((shape) => shape === "object").length).toBeGreaterThan(8);
    });
  });

  it("unstable-answers: some questions retrieve otherwise from run to run, their best sections stay", async () => {
    await withLab(withFaults(["unstable-answers=0.4"]), async ({ url }) => {
      const runs = async (question: string) => {
        const seen = new Set<string>();
        const best = new Set<string | undefined>();
        for (let i = 0; i < 8; i++) {
          const sections = (await ask(url, question, 8)).retrieved.map(({ section }) => section);
          seen.add(sections.join());
          best.add(sections[0]);
        }
        return { isSteady: seen.size === 1, best };
      };
      const all = await Promise.all(HARBOUR_QUESTIONS.map(runs));
      const unsteady = all.filter(({ isSteady }) => !isSteady);
      expect(unsteady.length).toBeGreaterThan(2);
      expect(unsteady.length).toBeLessThan(all.length - 2);
      for (const { best } of all) expect(best.size).toBe(1);
    });
  });

  it("CW-5, cold-start: the drawn requests are slow and flagged cold", async () => {
    await withLab(withFaults(["cold-start=1"], { modelMs: 1 }), async ({ url }) => {
      for (let i = 0; i < 22; i++) {
        const response = await post(url, { question: HARBOUR_QUESTIONS[0]! });
        expect(response.headers.get("x-cold-start")).toBe("1");
        await response.arrayBuffer();
      }
    });
  });

  it("plants several faults at once", async () => {
    await withLab(withFaults(["tiny-chunks=4", "swapped-ids", "schema-break=1"]), async ({ url }) => {
      const answer = await ask(url, HARBOUR_QUESTIONS[0]!);
      expect(typeof answer.citations[0]).toBe("string");
      expect(answer.retrieved[0]!.text.split(/\s+/).length).toBeLessThanOrEqual(4);
    });
  });
});
