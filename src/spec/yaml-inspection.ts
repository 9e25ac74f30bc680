import { type Document, isAlias, isCollection, isMap, isScalar, type Node, type Pair, type Scalar } from "yaml";

/** Something in a YAML document that would be read as another thing than was written. */
interface YamlFinding {
  readonly offset: number;
  readonly message: string;
  /** Where the same key or anchor stands first. */
  readonly earlier?: number;
}

/** Characters a document may have once every alias is replaced by what it stands for. */
const EXPANDED_CHARS_MAX = 16_777_216;
const DEPTH_MAX = 200;
const INTEGER = /^[-+]?(\d+|0o[0-7]+|0x[\da-f]+)$/i;
const NOTHING = { value: null, size: 1 } as const;
/** Collections that JSON has no place for. */
const FOREIGN = /:(set|omap|pairs)$/;

/** A YAML document as the JSON value it stands for. */
interface YamlReading {
  /** Means nothing when something was found. */
  readonly value: unknown;
  /** Everything that no JSON value could stand for, or that would be lost or doubled in silence. */
  readonly findings: readonly YamlFinding[];
  /** What each alias names. */
  readonly targets: ReadonlyMap<Node, Node>;
}

/**
 * Reads the nodes of a document in one pass, each once, however often aliases name it: values of aliases are shared,
 * and only their size is counted again.
 */
export function inspectYaml(document: Document): YamlReading {
  const { explicit = false, version } = document.directives?.yaml ?? {};
  const inspection = new Inspection(explicit === true ? version : undefined);
  const { value } = inspection.visit(document.contents as Node | null, 0);
  return { value, findings: inspection.findings, targets: inspection.targets };
}

/** The value of a node, and the characters it grows to. */
interface Grown {
  readonly value: unknown;
  readonly size: number;
}

class Inspection {
  readonly findings: YamlFinding[] = [];
  readonly targets = new Map<Node, Node>();
  readonly #anchors = new Map<string, Node>();
  readonly #grown = new Map<Node, Grown>();
  /** Anchored nodes whose inside is being visited: an alias to one of them would never end. */
  readonly #open = new Set<Node>();
  /** Which YAML the document says it is. */
  readonly #version: string | undefined;
  #isTooLarge = false;
  /** The value of a member `id`: who reads one takes it as it is spelled, and `1e3` is as good a name as any. */
  #id: Node | null = null;

  constructor(version: string | undefined) {
    this.#version = version;
  }

  visit(node: Node | null, depth: number): Grown {
    if (node === null) return NOTHING;
    if (depth > DEPTH_MAX) {
      this.#say(node, `nested deeper than ${DEPTH_MAX} levels`);
      return NOTHING;
    }
    const isNamed = this.#noteAnchor(node);
    if (isNamed) this.#open.add(node);
    const grown = this.#grow(node, depth);
    if (isNamed) {
      this.#open.delete(node);
      this.#grown.set(node, grown);
    }
    if (grown.size > EXPANDED_CHARS_MAX && !this.#isTooLarge) {
      this.#isTooLarge = true;
      this.#say(node, `its aliases grow to more than ${EXPANDED_CHARS_MAX} characters`);
    }
    return grown;
  }

  #grow(node: Node, depth: number): Grown {
    if (isAlias(node)) return this.#growAlias(node, node.source);
    if (isScalar(node)) return this.#growScalar(node);
    if (!isCollection(node)) return NOTHING;
    if (FOREIGN.test(node.tag ?? ""))
      this.#say(node, `found a collection tagged ${node.tag}, expected a map or a list`);
    if (isMap(node)) return this.#growMap(node.items, depth);
    const elements = (node.items as readonly Node[]).map((item) => this.visit(item, depth + 1));
    return { value: elements.map(({ value }) => value), size: elements.reduce((sum, { size }) => sum + size, 2) };
  }

  #growAlias(node: Node, name: string): Grown {
    const target = this.#anchors.get(name);
    if (target === undefined) this.#say(node, `alias *${name} has no anchor before it`);
    else if (this.#open.has(target)) this.#say(node, `alias *${name} stands inside of what it names`);
    else {
      this.targets.set(node, target);
      return this.#grown.get(target) ?? NOTHING;
    }
    return NOTHING;
  }

  #growScalar(node: Scalar): Grown {
    const { value, source = "" } = node;
    const isForeign = typeof value === "object" && value !== null;
    if (isForeign) this.#say(node, `found ${JSON.stringify(source.slice(0, 40))} as a date or binary, expected "text"`);
    const isLossy = typeof value === "number" && !Number.isSafeInteger(value) && isInexact(source, value);
    if (isLossy) this.#say(node, `${source} is more than a number can hold exactly: put it in quotes`);
    const unclear = typeof value === "string" ? null : this.#readings(node, source);
    if (unclear !== null) this.#say(node, `${source} is ${unclear}: put it in quotes, or write ${spellingOf(value)}`);
    const mark = typeof value === "string" ? foldedMark(node) : null;
    if (mark !== null)
      this.#say(node, `found ${mark}, a line break to YAML 1.1 and a letter to YAML 1.2: write it in "double quotes"`);
    return { value, size: 1 + source.length };
  }

  /** What a bare scalar is to readers that disagree; null when all agree. */
  #readings(node: Scalar, source: string): string | null {
    const { value } = node;
    if (typeof value === "boolean")
      return /^[yn]$/i.test(source) ? `${value} to some readers of YAML 1.1 and text to others` : null;
    if (typeof value !== "number") return null;
    if (Number.isNaN(value) && !/nan/i.test(source)) return "no number to some readers of YAML 1.1 and text to others";
    const isOther = this.#version === undefined && isOtherInYaml11(source);
    // The library reads a number with an exponent as one in 1.1 too.
    const isText = this.#version !== "1.2" && node !== this.#id && isTextInYaml11(source);
    return isOther || isText ? `${value} to YAML 1.2 and something else to YAML 1.1` : null;
  }

  #growMap(pairs: readonly Pair[], depth: number): Grown {
    const own = new Map<string, unknown>();
    const merged = new Map<string, unknown>();
    const first = new Map<string, Node | null>();
    let size = 2;
    for (const { key, value } of pairs as readonly Pair<Node | null, Node | null>[]) {
      const named = this.visit(key, depth + 1);
      if (named.value === "id") this.#id = value;
      const inner = this.visit(value, depth + 1);
      size += named.size + inner.size;
      const scalar = this.#named(key);
      if (isScalar(scalar) && isMergeKey(scalar)) {
        this.#merge(inner.value, merged, value ?? key);
        continue;
      }
      const name = this.#keyOf(key, scalar);
      if (name === null) continue;
      if (first.has(name)) this.#say(key, `key "${name}" is used twice`, offsetOf(first.get(name) ?? null));
      else first.set(name, key);
      own.set(name, inner.value);
    }
    for (const name of own.keys()) merged.delete(name);
    return { value: Object.fromEntries([...own, ...merged]), size };
  }

  /** Of several maps that are merged, the first to have a key gives it. */
  #merge(value: unknown, into: Map<string, unknown>, node: Node | null): void {
    const sources: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const source of sources) {
      if (typeof source !== "object" || source === null || Array.isArray(source)) {
        this.#say(node, "<< merges a map, an alias of one, or a list of them");
        return;
      }
      for (const [name, inner] of Object.entries(source)) if (!into.has(name)) into.set(name, inner);
    }
  }

  #named(key: Node | null): Node | null {
    return isAlias(key) ? (this.targets.get(key) ?? null) : key;
  }

  /** The name a key stands for; null, and told, when it is none. */
  #keyOf(key: Node | null, scalar: Node | null): string | null {
    if (!isScalar(scalar)) {
      this.#say(key, "found a list or a map as a key, expected text");
      return null;
    }
    const name = String(scalar.value ?? "");
    const isRespelled = typeof scalar.value !== "string" && scalar.source !== name;
    if (isRespelled) this.#say(key, `key ${scalar.source} would be read as "${name}": put it in quotes`);
    return name;
  }

  #noteAnchor(node: Node): boolean {
    const { anchor } = node as { anchor?: string };
    if (anchor === undefined || isAlias(node)) return false;
    const earlier = this.#anchors.get(anchor);
    if (earlier === undefined) this.#anchors.set(anchor, node);
    else this.#say(node, `anchor &${anchor} is set twice`, offsetOf(earlier));
    return true;
  }

  #say(node: Node | null, message: string, earlier?: number): void {
    this.findings.push({ offset: offsetOf(node), message, ...(earlier === undefined ? {} : { earlier }) });
  }
}

/** `<<` without quotes; the library keeps it as a symbol. */
export function isMergeKey({ type, source }: Scalar): boolean {
  return type === "PLAIN" && source === "<<";
}

/**
 * Whether YAML 1.1 reads an integer of 1.2 as something else: `0o17` as text, `010` as 8. Texts that 1.1 has no quotes
 * for come out of its writers that way.
 */
function isOtherInYaml11(source: string): boolean {
  if (/^[-+]?0o/.test(source)) return true;
  return /^[-+]?0[0-7]+$/.test(source) && Number(source) !== Number.parseInt(source, 8);
}

/**
 * Whether a number with an exponent is text to YAML 1.1, which asks for a point and for a sign: its writers leave the
 * texts `1e3` and `1.5e3` without quotes, and those of JavaScript write the number 1e-7 like that.
 * @source YAML 1.1, "Floating-Point Language-Independent Type", as PyYAML and Psych have it
 */
function isTextInYaml11(source: string): boolean {
  return /^[-+.\d]+e/i.test(source) && !/^[-+]?(\d+\.\d*|\.\d+)e[-+]\d+$/i.test(source);
}

/**
 * A line separator of Unicode as it stands where writers of YAML 1.1 put breaks: in single quotes and blocks, with
 * indentation that is no part of the text. Between double quotes they escape it.
 */
function foldedMark({ type, source = "" }: Scalar): string | null {
  if (type !== "QUOTE_SINGLE" && type !== "BLOCK_LITERAL" && type !== "BLOCK_FOLDED") return null;
  const [mark] = /[\u0085\u2028\u2029]/.exec(source) ?? [];
  return mark === undefined ? null : `U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** A number or a truth as every reader takes it. */
function spellingOf(value: unknown): string {
  const text = String(value);
  return /^-?\d+e/.test(text) ? text.replace("e", ".0e") : text;
}

/** Whether the double nearest to an integer is another one. */
function isInexact(source: string, value: number): boolean {
  return INTEGER.test(source) && String(value) !== source.replace(/^\+/, "");
}

function offsetOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}
