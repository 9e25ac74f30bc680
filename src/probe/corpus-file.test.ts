import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadCorpus } from "./corpus-file.ts";

describe("loadCorpus", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-corpus-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const put = async (name: string, text: string): Promise<string> => {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };

  it("names documents by relative path without extension, in the order of their paths", async () => {
    await put("b.md", "## Two\ntext");
    await put("a/deep.md", "## One\ntext");
    await put("note.txt", "plain *text*");
    await put(".hidden.md", "## Hidden\ntext");
    await put("picture.png", "x");
    const sections = await loadCorpus(folder);
    expect(sections.map(({ doc, section }) => `${doc} ${section}`)).toEqual([
      "a/deep a/deep#one",
      "b b#two",
      "note note#intro",
    ]);
    expect(sections[2]?.text).toBe("plain *text*");
  });

  it("reads JSON lines and skips empty ones", async () => {
    const path = await put(
      "c.jsonl",
      '{"doc":"d","section":"d#1","text":"one"}\n\n{"doc":"d","section":"d#2","text":"two"}\n',
    );
    expect(await loadCorpus(path)).toEqual([
      { doc: "d", section: "d#1", text: "one" },
      { doc: "d", section: "d#2", text: "two" },
    ]);
  });

  it("names the line of a JSON line it cannot read", async () => {
    const good = '{"doc":"d","section":"d#1","text":"one"}';
    await expect(loadCorpus(await put("a.jsonl", `${good}\nnot json`))).rejects.toThrow(/line 2: not JSON/);
    await expect(loadCorpus(await put("b.jsonl", `${good}\n\n{"doc":"d","section":"e"}`))).rejects.toThrow(
      /line 3: "text" is missing/,
    );
    await expect(loadCorpus(await put("c.jsonl", '{"doc":"d","section":"","text":"x"}'))).rejects.toThrow(
      /"section" is ""/,
    );
    await expect(loadCorpus(await put("d.jsonl", "7"))).rejects.toThrow(/line 1: not an object/);
  });

  it("refuses a section id that occurs twice", async () => {
    const path = await put("a.jsonl", '{"doc":"d","section":"s","text":"x"}\n{"doc":"e","section":"s","text":"y"}');
    await expect(loadCorpus(path)).rejects.toMatchObject({
      code: "corpus",
      message: expect.stringContaining('"s" appears in "d" and again in "e"'),
    });
  });

  it("says what it expects when nothing is there, nothing is in it, or the kind is unknown", async () => {
    await expect(loadCorpus(join(folder, "none"))).rejects.toThrow(/no corpus at .*expected a folder/);
    await expect(loadCorpus(folder)).rejects.toThrow(/has no section; expected/);
    await expect(loadCorpus(await put("a.pdf", "x"))).rejects.toThrow(/is a \.pdf file; expected/);
    await expect(loadCorpus(await put("empty.jsonl", "\n"))).rejects.toThrow(/has no section/);
  });
});
