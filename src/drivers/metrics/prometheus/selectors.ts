/** One place where a query reads stored samples. */
export interface Selector {
  /** As the query writes it, without range, offset and @: `errors_total{job="rag"}`. */
  readonly text: string;
  /** Whether it has a range of its own, as in `[5m]`, so that it may read series that have ended. */
  readonly isRange: boolean;
  /** How far back its samples may lie: its own range and every subquery's; 0 for the newest sample alone. */
  readonly reachMs: number;
}

/** What a query reads now, or why that cannot be told. */
export type Reads =
  | { readonly kind: "found"; readonly selectors: readonly Selector[] }
  | { readonly kind: "unclear"; readonly reason: string };

interface Token {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** White space and comments, strings, names, numbers and durations, brackets, operators. */
const TOKEN =
  /(?<blank>\s+|#[^\n]*)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`|[A-Za-z_:][\w:]*|[\d.][\w.]*|[{}[\](),@]|=~|!~|[=!<>]=|[-+*/%^=<>]/gy;
const NAME = /^[A-Za-z_:]/;
const LABEL_LISTS = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
/** Words between two operands, and words that follow one. PromQL takes them for metric names at other places. */
const BETWEEN = new Set(["and", "or", "unless", "atan2", "by", "without"]);
const WORDS = new Set([...BETWEEN, ...LABEL_LISTS, "bool", "offset", "inf", "nan"]);
const CLOSES: Readonly<Record<string, string>> = { "(": ")", "{": "}", "[": "]" };

class Unclear extends Error {}

function tokensOf(query: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < query.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(query);
    if (match === null) throw new Unclear(`"${query.slice(from, from + 10)}" at character ${from + 1} is no PromQL`);
    if (match.groups?.["blank"] === undefined) tokens.push({ text: match[0], from, to: TOKEN.lastIndex });
  }
  return tokens;
}

const UNIT_MS = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8, y: 3.1536e10 } as const;

/** `1h30m`, or seconds since Prometheus 3. @source Prometheus documentation, "Float literals and time durations" */
function durationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+)(ms|[smhdwy])/g)];
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join("") === text;
  if (isWhole) return parts.reduce((sum, [, n, unit]) => sum + Number(n) * UNIT_MS[unit as keyof typeof UNIT_MS], 0);
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  throw new Unclear(`the range "${text}" is no duration like 5m`);
}

/** Walks over the tokens of a query. */
class Walk {
  readonly #query: string;
  readonly #tokens: readonly Token[];
  #place = 0;

  constructor(query: string) {
    this.#query = query;
    this.#tokens = tokensOf(query);
  }

  /** The next token, or one further on, without taking it; empty at the end. */
  peek(ahead = 0): string {
    return this.#tokens[this.#place + ahead]?.text ?? "";
  }

  take(): void {
    this.#place++;
  }

  /** Takes a bracket up to its end and returns what it holds. */
  takeGroup(): readonly string[] {
    const from = this.#place;
    const open = this.#tokens[from] as Token;
    const length = this.#tokens.slice(from).findIndex(({ text }) => text === CLOSES[open.text]);
    if (length < 0) throw new Unclear(`"${open.text}" at character ${open.from + 1} is never closed`);
    this.#place += length + 1;
    return this.#tokens.slice(from + 1, from + length).map(({ text }) => text);
  }

  /** Runs `take` and returns the query's own text for what it took. */
  textOf(take: () => void): string {
    const first = this.#tokens[this.#place];
    take();
    return this.#query.slice(first?.from, this.#tokens[this.#place - 1]?.to);
  }
}

/** True when matchers fix the metric: `{__name__="a"}` or, since Prometheus 3, `{"a.b"}`. */
function namesMetric(matchers: readonly string[]): boolean {
  return matchers.some((text, index) => {
    const [before, after] = [matchers[index - 1] ?? ",", matchers[index + 1] ?? ","];
    return text === "__name__" ? after === "=" : /^["'`]/.test(text) && before === "," && after === ",";
  });
}

/** Takes `[5m]` or `[1h:5m]` and returns how far back it reaches. */
function takeRange(walk: Walk): number {
  return durationMs((walk.takeGroup().join("").split(":")[0] ?? "").trim());
}

/** Takes `offset` and `@` with their times, in any order; true when there was one. */
function takeShift(walk: Walk): boolean {
  let isShifted = false;
  while (walk.peek().toLowerCase() === "offset" || walk.peek() === "@") {
    walk.take();
    if (/^[-+]$/.test(walk.peek())) walk.take();
    if (walk.peek(1) === "(") walk.take(); // start() and end()
    if (walk.peek() === "(") walk.takeGroup();
    else walk.take();
    isShifted = true;
  }
  return isShifted;
}

/** Takes one selector. Null when it reads another time than now: that part is a comparison with the past. */
function takeSelector(walk: Walk): Selector | null {
  const isNamed = walk.peek() !== "{";
  let matchers: readonly string[] = [];
  const text = walk.textOf(() => {
    if (isNamed) walk.take();
    if (walk.peek() === "{") matchers = walk.takeGroup();
  });
  if (!isNamed && !namesMetric(matchers)) throw new Unclear(`${text} names no metric; name one, so that its age shows`);
  const isRange = walk.peek() === "[";
  const reachMs = isRange ? takeRange(walk) : 0;
  return takeShift(walk) ? null : { text, isRange, reachMs };
}

/** Takes one token that is part of no selector, and the label list after `by` and its like. */
function takeWord(walk: Walk): void {
  const word = walk.peek().toLowerCase();
  if (word === "offset" || word === "@") throw new Unclear("a subquery as a whole is moved in time (offset or @)");
  if (BETWEEN.has(word) && !/[\w:"'`)\]}]$/.test(walk.peek(-1)))
    throw new Unclear(`a metric cannot be told from the word "${word}"; write {__name__="${word}"}`);
  walk.take();
  if (LABEL_LISTS.has(word) && walk.peek() === "(") walk.takeGroup();
}

function isSelector(walk: Walk): boolean {
  const [text, next] = [walk.peek(), walk.peek(1).toLowerCase()];
  if (text === "{") return true;
  if (!NAME.test(text) || WORDS.has(text.toLowerCase())) return false;
  return next !== "(" && next !== "by" && next !== "without"; // A function, or an aggregation.
}

function found(query: string): readonly Selector[] {
  const walk = new Walk(query);
  const selectors: Selector[] = [];
  let subqueriesMs = 0;
  while (walk.peek() !== "") {
    if (isSelector(walk)) selectors.push(...[takeSelector(walk)].filter((one) => one !== null));
    else if (walk.peek() === "[") subqueriesMs += takeRange(walk);
    else takeWord(walk);
  }
  // A subquery reads what stands inside it further back. Which selectors do is not told apart: all of them may.
  const all = selectors.map((one) => ({ ...one, reachMs: one.reachMs + subqueriesMs }));
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

/**
 * Finds the selectors of a PromQL query, each once. This is no parser: it knows the words and brackets of the language
 * and nothing of its types. What it cannot place is `unclear` and never skipped, because a part that is not looked at
 * could be the part that has gone stale.
 * @source Prometheus documentation, "Querying basics" and "Operators", 2.42 and 3.x
 */
export function selectorsOf(query: string): Reads {
  try {
    return { kind: "found", selectors: found(query) };
  } catch (error) {
    if (!(error instanceof Unclear)) throw error;
    return { kind: "unclear", reason: error.message };
  }
}
