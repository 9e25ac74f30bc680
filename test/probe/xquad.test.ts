import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningSluice, runSluice, startSluice, temporaryFolder } from "../cli/run-sluice.ts";

/** A set of real questions that lies beside the repository where there is one; it is never copied into it. */
const DATA = process.env["SLUICE_XQUAD"] ?? fileURLToPath(new URL("../../../shared/data/xquad", import.meta.url));
const isThere = existsSync(join(DATA, "questions.jsonl"));
if (!isThere) console.warn(`skipped: no questions at ${DATA}; SLUICE_XQUAD names another place`);

interface RawQuestion {
  readonly id: string;
  readonly topic: string;
  readonly question: string;
  readonly doc: string;
  readonly section: string;
  readonly disfluent?: string;
}

/** Whole sections as gold. People rewrote some of the questions; the rest gets two plain frames. */
function goldLine({ id, topic, question, doc, section, disfluent }: RawQuestion): string {
  const phrasings = [question, disfluent ?? `Please tell me: ${question}`, `I would like to know this: ${question}`];
  return JSON.stringify({ id, topic, phrasings, answerable: true, gold: [{ doc, section }] });
}

interface Answer {
  readonly verdict: string;
  readonly metrics: {
    readonly candidate: { readonly coverage: { readonly mean: number }; readonly delta_s: { readonly median: number } };
  };
  readonly paired: {
    readonly delta_s_drift: { readonly estimate: number };
    readonly coverage_diff: { readonly estimate: number };
  };
}

describe.runIf(isThere)("probes on 150 sections and 700 real questions", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const services: RunningSluice[] = [];
  let gold = "";
  let questions = 0;
  const corpus = join(DATA, "corpus.jsonl");

  const serve = async (...faults: string[]): Promise<{ url: string; sections: number }> => {
    const index = `x${services.length}`;
    const argv = ["lab", "serve", "--corpus", corpus, "--index", index, "--release", index, "--model-ms", "0.01"];
    const service = startSluice([...argv, ...faults.flatMap((fault) => ["--fault", fault])]);
    services.push(service);
    const ready = await service.ready;
    return { url: String(ready["url"]), sections: Number(ready["sections"]) };
  };
  const probe = async (target: string, baseline: string): Promise<{ code: number | null; answer: Answer }> => {
    const argv = ["probe", "--target", target, "--baseline", baseline, "--gold", gold, "--corpus", corpus, "--json"];
    const { code, stdout, stderr } = await runSluice([...argv, "--concurrency", "32"]);
    expect(stderr).toBe("");
    return { code, answer: JSON.parse(stdout) as Answer };
  };

  beforeAll(async () => {
    folder = await temporaryFolder();
    gold = join(folder.path, "gold.jsonl");
    const raw = readFileSync(join(DATA, "questions.jsonl"), "utf8").trim().split("\n");
    questions = raw.length;
    await writeFile(gold, `${raw.map((line) => goldLine(JSON.parse(line) as RawQuestion)).join("\n")}\n`);
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await folder.remove();
  });

  it("passes an equal release, and catches shuffled section ids by coverage while ΔS does not move (GQ-6, GQ-7)", async () => {
    const [stable, equal, shuffled] = await Promise.all([serve(), serve(), serve("swapped-ids")]);
    expect(stable.sections).toBe(150);
    expect(questions).toBeGreaterThanOrEqual(700);
    const good = await probe(equal.url, stable.url);
    expect([good.code, good.answer.verdict]).toEqual([0, "pass"]);
    const bad = await probe(shuffled.url, stable.url);
    expect([bad.code, bad.answer.verdict]).toEqual([10, "fail"]);
    expect(good.answer.metrics.candidate.coverage.mean).toBeGreaterThan(0.85);
    expect(bad.answer.metrics.candidate.coverage.mean).toBeLessThan(0.1);
    expect(Math.abs(bad.answer.paired.delta_s_drift.estimate)).toBeLessThan(0.005);
    console.log(
      `xquad: coverage ${good.answer.metrics.candidate.coverage.mean} -> ${bad.answer.metrics.candidate.coverage.mean}, delta_s drift ${bad.answer.paired.delta_s_drift.estimate}`,
    );
  }, 180_000);
});
