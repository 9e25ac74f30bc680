import { isMap, isPair, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import type { Problem } from "../core/problem.ts";

export type Path = readonly (string | number)[];
interface Position {
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
}

/** Aliases are limited because a short text can otherwise expand to gigabytes. */
const MAX_ALIASES = 50;
const MAX_TEXT_BYTES = 1_048_576;

/** Parses one YAML (or JSON) document. Syntax errors come back as problems with positions, all of them. */
export function parseSource(text: string): Source | readonly Problem[] {
  if (text.length > MAX_TEXT_BYTES) {
    const message = `the document has ${text.length} characters; at most ${MAX_TEXT_BYTES} are read`;
    return [{ code: "E101", path: "", message }];
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const syntax = document.errors.map((error): Problem => {
    return { code: "E101", path: "", at: at(error.pos[0]), message: `not valid YAML: ${error.message}` };
  });
  if (syntax.length > 0) return syntax;
  const read = readValue(() => document.toJS({ maxAliasCount: MAX_ALIASES }));
  if (!read.ok) return [{ code: "E101", path: "", message: `not readable: ${read.message}` }];
  const offsetOf = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0;
  return {
    text,
    value: read.value,
    locate(path) {
      for (let length = path.length; length > 0; length--) {
        const node = document.getIn(path.slice(0, length), true);
        if (node !== undefined && node !== null) return at(offsetOf(node));
      }
      return at(offsetOf(document.contents));
    },
    locateKey(path, key) {
      const node = path.length === 0 ? document.contents : document.getIn([...path], true);
      const pair = isMap(node)
        ? node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
        : undefined;
      return at(offsetOf(pair?.key ?? node));
    },
  };
}

/** The yaml library reports alias bombs by throwing; here that is an expected outcome. */
function readValue(read: () => unknown): { ok: true; value: unknown } | { ok: false; message: string } {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}
