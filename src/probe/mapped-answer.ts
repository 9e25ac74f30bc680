import { readPointer } from "../core/json-pointer.ts";
import {
  type FlagReading,
  type ListReading,
  type MemberReading,
  pointerOf,
  type TargetMap,
  type TextReading,
} from "./map.ts";

/** Longest text that patterns are looked for in. */
const PATTERN_CHARS_MAX = 65_536;
/** Most references one text gives. */
const REFERENCES_MAX = 1_000;

/** A mapped document in the shape of the default contract. */
export interface Mapped {
  /** What is missing stays missing and breaks the contract there. */
  readonly answer: unknown;
  /** By field of the contract, such as `retrieved[].doc`: the pointer that leads nowhere, and what is there instead. */
  readonly nowhere: ReadonlyMap<string, string>;
}

type Nowhere = Map<string, string>;

/** Reads an answer by a mapping. */
export function mappedAnswer(document: unknown, { response }: TargetMap): Mapped {
  const nowhere: Nowhere = new Map();
  const { answer, refused, retrieved, passage = {}, citations, citation = {} } = response;
  const passages = readList(document, retrieved, passage, "retrieved", nowhere);
  const cited = citations === undefined ? passages : readList(document, citations, citation, "citations", nowhere);
  return {
    answer: {
      answer: readText(document, answer, "answer", nowhere),
      refused: refused === undefined ? false : readFlag(document, refused, nowhere),
      retrieved: passages,
      citations: Array.isArray(cited) ? cited.map(reference) : cited,
    },
    nowhere,
  };
}

function reference(element: unknown): unknown {
  const { doc, section } = element as Record<string, unknown>;
  return { doc, section };
}

/** A value at a pointer; where there is none, says so once a field. */
function readAt(value: unknown, pointer: string, field: string, nowhere: Nowhere): unknown {
  const found = readPointer(value, pointerOf(pointer));
  if (found === undefined && !nowhere.has(field)) nowhere.set(field, describeNowhere(value, pointer, field));
  return found;
}

/** "pointer /result/txt (answer) leads nowhere: /result has reply, sources". */
function describeNowhere(value: unknown, pointer: string, field: string): string {
  const tokens = pointer.split("/").slice(1);
  let depth = tokens.length - 1;
  const upTo = (length: number) => (length === 0 ? "" : `/${tokens.slice(0, length).join("/")}`);
  while (depth > 0 && readPointer(value, pointerOf(upTo(depth))) === undefined) depth--;
  const last = readPointer(value, pointerOf(upTo(Math.max(0, depth))));
  const place = depth <= 0 ? (field.includes("[]") ? "the element" : "the answer") : upTo(depth);
  return `pointer ${pointer} (${field}) leads nowhere: ${place} ${membersOf(last)}`;
}

function membersOf(value: unknown): string {
  if (Array.isArray(value)) return `is a list of ${value.length}`;
  if (typeof value !== "object" || value === null) return `is ${value === null ? "null" : `a ${typeof value}`}`;
  const keys = Object.keys(value);
  if (keys.length === 0) return "has no members";
  return `has ${keys.slice(0, 8).join(", ")}${keys.length > 8 ? " and others" : ""}`;
}

type Each = Extract<ListReading, { each: string }>;

/** Elements of a list that say what is asked for; those that are lists themselves become part of one list. */
function readEach(document: unknown, { each, where = {}, read }: Each, field: string, nowhere: Nowhere): unknown {
  const list = readAt(document, each, field, nowhere);
  if (!Array.isArray(list)) return list;
  const conditions = Object.entries(where);
  const chosen = list.filter((element) =>
    conditions.every(([pointer, value]) => readPointer(element, pointerOf(pointer)) === value),
  );
  return chosen.flatMap((element: unknown) => {
    const value = read === undefined ? element : readPointer(element, pointerOf(read));
    return value === undefined || value === null ? [] : value;
  });
}

function readText(document: unknown, reading: TextReading, field: string, nowhere: Nowhere): unknown {
  if (typeof reading === "string") return readAt(document, reading, field, nowhere);
  const parts = readEach(document, reading, field, nowhere);
  return Array.isArray(parts) ? parts.map(String).join(reading.join ?? "") : parts;
}

function readFlag(document: unknown, reading: FlagReading, nowhere: Nowhere): unknown {
  if (typeof reading === "string") return readAt(document, reading, "refused", nowhere);
  if ("is" in reading) return readPointer(document, pointerOf(reading.read)) === reading.is;
  const text = readText(document, reading.in, "refused", nowhere);
  if (typeof text !== "string") return text;
  return new RegExp(reading.pattern, "u").test(text.slice(0, PATTERN_CHARS_MAX));
}

type Shape = Readonly<Record<string, MemberReading | undefined>>;

function readList(document: unknown, reading: ListReading, shape: Shape, field: string, nowhere: Nowhere): unknown {
  if (typeof reading === "object" && "in" in reading) {
    const text = readText(document, reading.in, field, nowhere);
    return typeof text === "string" ? references(text, reading.pattern) : text;
  }
  const list =
    typeof reading === "string"
      ? readAt(document, reading, field, nowhere)
      : readEach(document, reading, field, nowhere);
  return Array.isArray(list) ? list.map((element) => readElement(element, shape, field, nowhere)) : list;
}

/** What a text refers to, each once, in the order of the text. */
function references(text: string, pattern: string): readonly unknown[] {
  const found = new Map<string, unknown>();
  for (const { groups = {} } of text.slice(0, PATTERN_CHARS_MAX).matchAll(new RegExp(pattern, "gu"))) {
    const { doc, section } = groups;
    if (found.size >= REFERENCES_MAX) break;
    found.set(`${doc}\u0000${section}`, { doc, section, text: "", start: null, end: null, rev: null });
  }
  return [...found.values()];
}

const MEMBERS = ["doc", "section", "text", "start", "end", "rev"] as const;
/** Members that name things; services number them as often as they spell them. */
const IDS: ReadonlySet<string> = new Set(["doc", "section", "rev"]);
/** What a member is that the service does not have: no text is the empty one, everything else is not said. */
const ABSENT: Readonly<Record<string, unknown>> = { text: "" };

function readElement(element: unknown, shape: Shape, field: string, nowhere: Nowhere): unknown {
  const members = MEMBERS.map((key) => {
    const reading = shape[key];
    if (reading === undefined) return [key, ABSENT[key] ?? null] as const;
    const value = readMember(element, reading, `${field}[].${key}`, nowhere);
    return [key, IDS.has(key) && typeof value === "number" ? String(value) : value] as const;
  });
  return Object.fromEntries(members);
}

function readMember(element: unknown, reading: MemberReading, field: string, nowhere: Nowhere): unknown {
  if (typeof reading === "string") return readAt(element, reading, field, nowhere);
  if ("value" in reading) return reading.value;
  const text = readAt(element, reading.read, field, nowhere);
  if (typeof text !== "string") return text;
  const match = new RegExp(reading.pattern, "u").exec(text.slice(0, PATTERN_CHARS_MAX));
  if (match !== null) return match[1] ?? match[0];
  if (!nowhere.has(field))
    nowhere.set(field, `pattern ${reading.pattern} (${field}) does not match "${text.slice(0, 80)}"`);
  return undefined;
}
