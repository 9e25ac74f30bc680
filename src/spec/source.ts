import type { Problem } from "../core/problem.ts";
import { withoutMark } from "./document-text.ts";
import { parseJsonSource } from "./json-source.ts";
import { parseYamlSource } from "./yaml-source.ts";

export type Path = readonly (string | number)[];

/** A place in a text, from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** `spec.strategy.canary.steps[1].weight`, as people write paths. */
export function pathText(path: Path): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
}

/** A parsed document that remembers where everything stood. */
export interface Source {
  readonly text: string;
  readonly value: unknown;
  /** Position of the value at `path`, or of its nearest parent that exists. */
  locate(path: Path): Position;
  /** Position of the key itself, for complaints about the key. */
  locateKey(path: Path, key: string): Position;
  /** A number or word as the text spells it, `007` or `1e3`; null for what is no bare scalar. */
  spelled(path: Path): string | null;
}

/** The part of a source under a path, with its places in the whole text. */
export function sourceAt(source: Source, path: Path): Source {
  const value = path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown>)[key], source.value);
  return {
    text: source.text,
    value,
    locate: (inner) => source.locate([...path, ...inner]),
    locateKey: (inner, key) => source.locateKey([...path, ...inner], key),
    spelled: (inner) => source.spelled([...path, ...inner]),
  };
}

/** JSON is read in one pass; YAML costs a tree of nodes, so it may be shorter. */
const JSON_CHARS_MAX = 64 * 1024 * 1024;
const YAML_CHARS_MAX = 1_048_576;

/**
 * Parses one document, JSON or YAML 1.2 (1.1 where `%YAML 1.1` says so) with merge keys. What is read is what was
 * written, or a problem: keys or anchors that stand twice, aliases that grow without measure, unknown tags and integers
 * that a double cannot hold come back with their positions, all of them.
 * @source YAML 1.2.2; https://yaml.org/type/merge.html for `<<`
 */
export function parseSource(text: string): Source | readonly Problem[] {
  const plain = withoutMark(text);
  const isJsonText = isJson(plain);
  const max = isJsonText ? JSON_CHARS_MAX : YAML_CHARS_MAX;
  if (plain.length > max) {
    const message = `the document has ${plain.length} characters; at most ${max} are read`;
    const fix = max === YAML_CHARS_MAX ? { fix: "JSON may be longer than YAML: write it as JSON or JSON lines" } : {};
    return [{ code: "E101", path: "", message, ...fix }];
  }
  return isJsonText ? parseJsonSource(plain, "E101") : parseYamlSource(plain);
}

/** Whether a text is JSON as it stands; what only looks like it may still be YAML in flow style. */
function isJson(text: string): boolean {
  if (!/^[ \t\r\n]*[[{]/.test(text) || text.length > JSON_CHARS_MAX) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
