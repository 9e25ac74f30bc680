import { readdir, readFile, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { decodeText } from "../spec/document-text.ts";
import { InputError } from "./input-error.ts";
import { markdownSections, type Section } from "./markdown.ts";

const MARKDOWN = new Set([".md", ".markdown"]);
const TEXT = new Set([".txt"]);
const EXPECTED = "a folder of .md or .txt files, or a .jsonl file of {doc, section, text}";

function sectionsOfFile(doc: string, path: string, source: string): readonly Section[] {
  if (MARKDOWN.has(extname(path))) return markdownSections(doc, source);
  const text = source.replace(/^\uFEFF/, "").trim();
  return text === "" ? [] : [{ doc, section: `${doc}#intro`, text }];
}

/** Markdown and text in other encodings are refused: a section with wrong letters in it answers other questions. */
async function readText(path: string): Promise<string> {
  const text = decodeText(await readFile(path), "corpus");
  if (typeof text === "string") return text;
  throw new InputError("corpus", `${path}: ${text.message}; ${text.fix ?? ""}`);
}

/** Relative paths with `/`, in code-unit order, hidden files and links left out. */
async function textFiles(folder: string, below = ""): Promise<readonly string[]> {
  const entries = (await readdir(join(folder, below), { withFileTypes: true })).filter(
    ({ name }) => !name.startsWith("."),
  );
  const paths = await Promise.all(
    entries.map(async (entry) => {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) return textFiles(folder, path);
      return entry.isFile() && (MARKDOWN.has(extname(path)) || TEXT.has(extname(path))) ? [path] : [];
    }),
  );
  return paths.flat().sort();
}

function jsonlSection(path: string, line: string, number: number): Section {
  const refuse = (found: string): never => {
    throw new InputError(
      "corpus",
      `${path} line ${number}: ${found}; expected {"doc", "section", "text"}, all non-empty strings`,
    );
  };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    return refuse(`not JSON (${(cause as Error).message})`);
  }
  if (typeof value !== "object" || value === null) return refuse("not an object");
  const { doc, section, text } = value as Readonly<Record<string, unknown>>;
  for (const [key, member] of Object.entries({ doc, section, text })) {
    if (typeof member !== "string" || member.trim() === "")
      return refuse(`"${key}" is ${JSON.stringify(member) ?? "missing"}`);
  }
  return { doc, section, text } as Section;
}

function jsonlSections(path: string, source: string): readonly Section[] {
  return source
    .replace(/^\uFEFF/, "")
    .split("\n")
    .flatMap((line, index) => (line.trim() === "" ? [] : [jsonlSection(path, line, index + 1)]));
}

async function readSections(path: string): Promise<readonly Section[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new InputError("corpus", `no corpus at ${path}; expected ${EXPECTED}`, cause);
  });
  if (found.isDirectory()) {
    const files = await textFiles(path);
    const perFile = files.map(async (file) => {
      return sectionsOfFile(file.slice(0, -extname(file).length), file, await readText(join(path, file)));
    });
    return (await Promise.all(perFile)).flat();
  }
  const source = await readText(path);
  if (extname(path) === ".jsonl") return jsonlSections(path, source);
  if (MARKDOWN.has(extname(path)) || TEXT.has(extname(path))) {
    return sectionsOfFile(basename(path, extname(path)), path, source);
  }
  throw new InputError("corpus", `${path} is a ${extname(path) || "nameless"} file; expected ${EXPECTED}`);
}

/**
 * Reads a corpus: a folder of Markdown and text (a document is the file's relative path without its extension), one
 * such file, or JSON lines. Order is stable: by path, then by place in the document.
 * @throws InputError `corpus`: nothing there, no section in it, a bad line (numbered), a section id used twice
 */
export async function loadCorpus(path: string): Promise<readonly Section[]> {
  const sections = await readSections(path);
  if (sections.length === 0) {
    throw new InputError("corpus", `${path} has no section; expected ${EXPECTED} with some text in it`);
  }
  const owner = new Map<string, string>();
  for (const { doc, section } of sections) {
    const other = owner.get(section);
    if (other !== undefined) {
      const fix = "section ids are unique in a corpus, so write them as <doc>#<name>";
      throw new InputError(
        "corpus",
        `${path}: section "${section}" appears in "${other}" and again in "${doc}"; ${fix}`,
      );
    }
    owner.set(section, doc);
  }
  return sections;
}
