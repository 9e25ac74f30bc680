import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Terminal } from "../terminal.ts";
import { goldImport } from "./gold-import.ts";
import { goldLint } from "./gold-lint.ts";

type Options = Parameters<typeof goldImport>[1];

const CORPUS = '{"doc": "berths", "section": "berths#prices", "text": "A berth costs nine crowns."}\n';
const QUERIES =
  "q1\tWhat does a berth cost?\nq1\tHow much does one pay for a berth?\nq1\tThe price of a berth, what is it?\n";
const CONFIG = `- vars: { question: What does a berth cost? }
  metadata: { section: 'berths#prices' }
- vars: { query: What does power cost? }
`;
const SQUAD = JSON.stringify({
  data: [
    {
      title: "Berths",
      paragraphs: [
        {
          context: "A berth costs nine crowns.",
          qas: [{ id: "s1", question: "What is nine crowns?", answers: [{ text: "A berth", answer_start: 0 }] }],
        },
      ],
    },
  ],
});

let folder = "";
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-import-"));
  await Promise.all([
    writeFile(at("corpus.jsonl"), CORPUS),
    writeFile(at("queries.tsv"), QUERIES),
    writeFile(at("qrels.txt"), "q1 0 berths#prices 1\nq2 0 berths#prices 1\n"),
    writeFile(at("config.yaml"), CONFIG),
    writeFile(at("squad.json"), SQUAD),
  ]);
});
afterAll(() => rm(folder, { recursive: true }));

function listen() {
  const heard = { data: [] as string[], said: [] as string[] };
  const terminal: Terminal = {
    data: (line) => void heard.data.push(line),
    say: (line) => void heard.said.push(line),
    document: (text) => void heard.data.push(text),
    isInteractive: false,
    paint: (_, text) => text,
  };
  return { heard, terminal };
}
async function run(file: string, over: Partial<Options> & Pick<Options, "from">) {
  const { heard, terminal } = listen();
  const options = { json: false, corpus: at("corpus.jsonl"), queries: null, topic: "imported", out: null, ...over };
  return { code: await goldImport(at(file), options, terminal), ...heard };
}

describe("sluice gold import", () => {
  it.each(["gold.yaml", "gold.jsonl"])("writes %s that gold lint takes, and tells what was left out", async (name) => {
    const { code, said, data } = await run("qrels.txt", { from: "qrels", queries: at("queries.tsv"), out: at(name) });
    expect([code, data]).toEqual([0, []]);
    expect(said[0]).toMatch(/^left out E242 .*qrels\.txt:2:1 {2}query q2 has no text in the queries file\n/);
    expect(said.at(-1)).toBe("1 questions imported, 1 findings on rows left out");
    const { terminal } = listen();
    expect(await goldLint(at(name), { json: false, corpus: at("corpus.jsonl") }, terminal)).toBe(0);
  });

  it("makes no phrasing up: says how many lack some, and gold lint refuses those for that alone", async () => {
    const { said, data } = await run("squad.json", { from: "xquad" });
    expect(said.join("\n")).toMatch(/1 questions have fewer than three phrasings; no wording is made up/);
    expect(data.map((line) => JSON.parse(line).phrasings)).toEqual([["What is nine crowns?"]]);
    await writeFile(at("few.jsonl"), `${data.join("\n")}\n`);
    const lint = goldLint(at("few.jsonl"), { json: false, corpus: null }, listen().terminal);
    await expect(lint).rejects.toThrow(/E205 .*needs exactly 3 phrasings[\s\S]*\n1 problems in/);
  });

  it("prints items, problems and warnings as one JSON object", async () => {
    const { code, data, said } = await run("config.yaml", { from: "promptfoo", json: true });
    const printed = JSON.parse(data.join(""));
    expect([code, said, printed.count]).toEqual([0, [], 1]);
    expect(printed.items).toMatchObject([{ id: "test-1", gold: [{ section: "berths#prices" }] }]);
    expect(printed.problems).toMatchObject([{ code: "E246", at: { line: 3, column: 3 } }]);
    expect(printed.warnings).toMatchObject([{ code: "E248" }]);
  });

  it("overwrites nothing", async () => {
    await writeFile(at("kept.jsonl"), "mine");
    const again = run("squad.json", { from: "xquad", out: at("kept.jsonl") });
    await expect(again).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("is there already") });
    expect(await readFile(at("kept.jsonl"), "utf8")).toBe("mine");
  });

  it("ends with 2 when nothing could be imported, the file is missing, or qrels have no queries", async () => {
    await writeFile(at("broken.json"), '{"data": [}');
    const refused = (file: string, over: Partial<Options> & Pick<Options, "from">) =>
      expect(run(file, over)).rejects.toMatchObject({ exitCode: 2 });
    await refused("broken.json", { from: "xquad" });
    await expect(run("absent.json", { from: "xquad" })).rejects.toMatchObject({ code: "file" });
    await refused("qrels.txt", { from: "qrels" });
    await refused("squad.json", { from: "xquad", queries: at("queries.tsv") });
  });

  it("reads a BEIR folder, and reports every row in --json", async () => {
    await mkdir(at("beir/qrels"), { recursive: true });
    await writeFile(
      at("beir/queries.jsonl"),
      '{"_id":"q1","text":"What does a berth cost?"}\n{"_id":"q2","text":"Why?"}\n',
    );
    await writeFile(at("beir/qrels/test.tsv"), "query-id\tcorpus-id\tscore\nq1\tberths#prices\t1\nq2\tgone\t1\n");
    const { data } = await run("beir", { from: "beir", json: true });
    const { items, rows } = JSON.parse(data[0] ?? "");
    expect(items.map(({ id }: { id: string }) => id)).toEqual(["q1"]);
    expect(rows.map(({ id, said }: { id: string | null; said: string[] }) => [id, said.length > 0])).toEqual([
      ["q1", true],
      [null, true],
    ]);
    await expect(run("corpus.jsonl", { from: "beir" })).rejects.toThrow(/found no qrels/);
  });
});
