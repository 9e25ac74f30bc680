import { isAlias, isMap, isScalar, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import type { Problem } from "../core/problem.ts";
import type { Path, Position, Source } from "./source.ts";
import { inspectYaml, isMergeKey } from "./yaml-inspection.ts";

const CODE = "E101";
/** Syntax problems told at once: one slip can break every line after it. */
const TOLD_MAX = 20;

/** Parses YAML, or says everything that is wrong with it. */
export function parseYamlSource(text: string): Source | readonly Problem[] {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
    uniqueKeys: false, // The inspection finds them all, with the place of the first.
    logLevel: "error",
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const problemAt = (offset: number, message: string): Problem => ({ code: CODE, path: "", at: at(offset), message });
  const syntax = document.errors.map(({ code, message, pos }) => {
    const isDeep = code === "RESOURCE_EXHAUSTION";
    return problemAt(pos[0], isDeep ? "nested too deeply to be read" : `not valid YAML: ${message}`);
  });
  if (syntax.length > 0) return syntax.slice(0, TOLD_MAX);
  const unknownTags = document.warnings.map(({ message, pos }) => problemAt(pos[0], `not readable: ${message}`));
  const { value, findings, targets } = inspectYaml(document);
  const found = findings.map(({ offset, message, earlier }) => {
    const first = earlier === undefined ? "" : `; the first is in line ${at(earlier).line}`;
    return problemAt(offset, `${message}${first}`);
  });
  const problems = [...unknownTags, ...found];
  if (problems.length > 0) return problems.slice(0, TOLD_MAX);
  const tree: Tree = { root: document.contents as Node | null, targets };
  const offsetOf = (node: Node | null): number => node?.range?.[0] ?? 0;
  return {
    text,
    value,
    locate(path) {
      for (let length = path.length; length > 0; length--) {
        const node = nodeAt(tree, path.slice(0, length));
        if (node !== null) return at(offsetOf(node));
      }
      return at(offsetOf(tree.root));
    },
    locateKey(path, key) {
      const node = resolved(tree, nodeAt(tree, path));
      const pair = isMap(node) ? pairOf(node.items, key) : undefined;
      return at(offsetOf((pair?.key as Node | undefined) ?? node));
    },
    spelled(path) {
      const node = resolved(tree, nodeAt(tree, path));
      return isScalar(node) && node.type === "PLAIN" ? (node.source ?? null) : null;
    },
  };
}

/** The nodes of a document, and what its aliases name. */
interface Tree {
  readonly root: Node | null;
  readonly targets: ReadonlyMap<Node, Node>;
}

function resolved(tree: Tree, node: Node | null): Node | null {
  return isAlias(node) ? (tree.targets.get(node) ?? null) : node;
}

function pairOf(pairs: readonly Pair[], key: string): Pair | undefined {
  return pairs.find((pair) => isScalar(pair.key) && String(pair.key.value ?? "") === key);
}

/** The node at a path, through aliases and merged maps; null where there is none. */
function nodeAt(tree: Tree, path: Path): Node | null {
  let node: Node | null = tree.root;
  for (const part of path) {
    const inner: Node | null = resolved(tree, node);
    node = isMap(inner) ? memberOf(tree, inner, String(part)) : elementOf(inner, part);
    if (node === null) return null;
  }
  return node;
}

function elementOf(node: Node | null, part: string | number): Node | null {
  const items = (node as { items?: readonly unknown[] } | null)?.items;
  return typeof part === "number" ? ((items?.[part] as Node | undefined) ?? null) : null;
}

function memberOf(tree: Tree, map: Node, key: string): Node | null {
  const { items } = map as unknown as { items: readonly Pair[] };
  const own = pairOf(items, key);
  if (own !== undefined) return own.value as Node | null;
  for (const { value } of items.filter((pair) => isScalar(pair.key) && isMergeKey(pair.key))) {
    const merged = resolved(tree, value as Node | null);
    const sources = isMap(merged) ? [merged] : ((merged as { items?: readonly Node[] } | null)?.items ?? []);
    for (const source of sources) {
      const inner = resolved(tree, source);
      const found = isMap(inner) ? memberOf(tree, inner, key) : null;
      if (found !== null) return found;
    }
  }
  return null;
}
