import { z } from "zod";
import { type Json, canonicalJson } from "../core/canonical-json.ts";
import { POOLED } from "../core/measure/coverage.ts";
import type { GoldItem } from "../core/measure/gold.ts";
import type { Problem } from "../core/problem.ts";
import { withoutMark } from "../spec/document-text.ts";
import { parseJsonSource } from "../spec/json-source.ts";
import { parseSource, pathText, type Source, sourceAt } from "../spec/source.ts";
import { sha256 } from "./digest.ts";
import { checkShape } from "./shape-problems.ts";

/** A gold set that was read without a problem. */
export interface GoldSet {
  readonly items: readonly GoldItem[];
  /** sha256 over the canonical JSON of the items: comments, order of keys and the file's form do not change it. */
  readonly digest: string;
  /** Where each item begins in the text, 1-based. */
  readonly positions: readonly Place[];
}

interface Place {
  readonly line: number;
  readonly column: number;
}

const CODES = { missing: "E202", type: "E203", unknownKey: "E204", value: "E205" } as const;

/** Phrasings of one question. @source definitions.md §2 */
const PHRASINGS = 3;
const ITEMS_MAX = 20_000;
const JSONL_BYTES_MAX = 64 * 1024 * 1024;

const text = z
  .string()
  .trim()
  .min(1, "is an empty text")
  .refine((value) => !/\p{Surrogate}/u.test(value), "holds half of a surrogate pair, which is no text");
const offset = z.int().min(0);
const ref = z.strictObject({ doc: text, section: text });
const span = z
  .strictObject({ doc: text, section: text, start: offset.optional(), end: offset.optional(), rev: text.optional() })
  .refine(
    ({ start, end }) => (start === undefined) === (end === undefined),
    "has one of start and end; give both or none",
  )
  .refine(
    ({ start, end }) => start === undefined || end === undefined || start < end,
    "ends where it starts or before",
  );

const item = z
  .strictObject({
    id: text,
    topic: text.refine(
      (name) => name !== POOLED,
      `"${POOLED}" is the name of the topics that are too small; use another`,
    ),
    phrasings: z.array(text).length(PHRASINGS, `needs exactly ${PHRASINGS} phrasings, the first is canonical`),
    answerable: z.boolean(),
    gold: z.array(span),
    /** All are needed; of a list inside, any one. */
    claims: z.array(z.union([text, z.array(text).min(2, "of alternatives needs two or more")])).optional(),
    decoy: ref.optional(),
  })
  .refine(
    ({ answerable, gold }) => answerable === gold.length > 0,
    "an answerable item names its gold sections, an unanswerable one has gold: []",
  );

type RawItem = z.infer<typeof item>;

/**
 * Reads a gold set: a YAML (or JSON) list of items, or JSON lines with one item a line. Strict: every unknown key,
 * wrong shape and repeated id is reported, all at once, with line and column.
 * @source contracts.md "Gold set"
 */
export function readGoldSet(source: string): GoldSet | readonly Problem[] {
  if (source.length > JSONL_BYTES_MAX) {
    return [
      {
        code: "E201",
        path: "",
        message: `the gold set has ${source.length} characters, at most ${JSONL_BYTES_MAX} are read`,
      },
    ];
  }
  const plain = withoutMark(source);
  const read = isJsonLines(plain) ? readLines(plain) : readDocument(plain);
  const repeated = repeatedIds(read.items);
  const problems = [...read.problems, ...repeated].sort(byPlace);
  if (problems.length > 0) return problems;
  if (read.items.length === 0) return [{ code: "E202", path: "", message: "the gold set has no items" }];
  const items = read.items.map(({ raw }) => toItem(raw));
  return { items, digest: goldDigest(items), positions: read.items.map(({ at }) => at) };
}

/** Digest of what a gold set asks; equal for a YAML file and its JSON-lines form. */
function goldDigest(items: readonly GoldItem[]): string {
  return `sha256:${sha256(canonicalJson(items as unknown as Json))}`;
}

interface ReadItem {
  readonly raw: RawItem;
  readonly at: Place;
}

interface ReadItems {
  readonly items: readonly ReadItem[];
  readonly problems: readonly Problem[];
}

/** A YAML list never begins with a brace. */
function isJsonLines(source: string): boolean {
  return source.trimStart().startsWith("{");
}

function readDocument(source: string): ReadItems {
  const parsed = parseSource(source);
  if (!("value" in parsed)) return { items: [], problems: parsed.map((problem) => ({ ...problem, code: "E201" })) };
  if (!Array.isArray(parsed.value)) {
    const at = { line: 1, column: 1 };
    return { items: [], problems: [{ code: "E202", path: "", at, message: "expected a list of items" }] };
  }
  if (parsed.value.length > ITEMS_MAX) return tooMany(parsed.value.length);
  return collect(parsed.value.map((_, index) => readItem(sourceAt(parsed, [index]))));
}

function readLines(source: string): ReadItems {
  const lines = source.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [{ line, index }]));
  if (lines.length > ITEMS_MAX) return tooMany(lines.length);
  return collect(lines.map(({ line, index }) => readLine(line, index)));
}

function readLine(line: string, index: number): ReadItems {
  const down = ({ line: row, column }: Place): Place => ({ line: row + index, column });
  const parsed = parseJsonSource(line, "E201");
  if (!("value" in parsed)) {
    const problems = parsed.map((problem) => ({ ...problem, at: down(problem.at ?? { line: 1, column: 1 }) }));
    return { items: [], problems };
  }
  const { locate, locateKey } = parsed;
  return readItem({
    ...parsed,
    locate: (path) => down(locate(path)),
    locateKey: (path, key) => down(locateKey(path, key)),
  });
}

function tooMany(count: number): ReadItems {
  return {
    items: [],
    problems: [{ code: "E205", path: "", message: `${count} items, at most ${ITEMS_MAX} are read` }],
  };
}

function readItem(source: Source): ReadItems {
  const checked = checkShape(item, source, CODES);
  if ("value" in checked) return { items: [{ raw: checked.value, at: source.locate([]) }], problems: [] };
  const id = (source.value as { id?: unknown } | null)?.id;
  const name = typeof id === "string" ? id : "";
  return { items: [], problems: checked.map((problem) => ({ ...problem, path: joined(name, problem.path) })) };
}

function joined(id: string, path: string): string {
  return [id, path].filter((part) => part !== "").join(".");
}

function collect(parts: readonly ReadItems[]): ReadItems {
  return { items: parts.flatMap(({ items }) => items), problems: parts.flatMap(({ problems }) => problems) };
}

function repeatedIds(items: readonly ReadItem[]): readonly Problem[] {
  const first = new Map<string, Place>();
  return items.flatMap(({ raw, at: place }) => {
    const earlier = first.get(raw.id);
    if (earlier === undefined) {
      first.set(raw.id, place);
      return [];
    }
    const message = `id "${raw.id}" is used twice; the first is in line ${earlier.line}`;
    return [{ code: "E206", path: pathText([raw.id]), at: place, message }];
  });
}

function byPlace(a: Problem, b: Problem): number {
  return (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0);
}

function toItem(raw: RawItem): GoldItem {
  return {
    id: raw.id,
    topic: raw.topic,
    phrasings: raw.phrasings,
    answerable: raw.answerable,
    gold: raw.gold.map(({ doc, section, start, end, rev }) => {
      return { doc, section, start: start ?? null, end: end ?? null, rev: rev ?? null };
    }),
    claims: raw.claims ?? [],
    decoy: raw.decoy ?? null,
  };
}
