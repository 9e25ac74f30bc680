/** Version of the tokenizer that coverage counts in. A change of the rules is a new version, never an edit. */
export const TOKENIZER = "words/1";

/** Places of the tokens of a text in code points: token i covers `starts[i]` up to, not including, `ends[i]`. */
export interface TokenPlaces {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Length of the text in code points. */
  readonly length: number;
}

/**
 * A run of letters, marks and digits; a letter of a script written without spaces; or one other visible character.
 * Apostrophes and hyphens separate, so that no rule depends on a language.
 */
const TOKEN =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])[\p{L}\p{N}\p{M}])+|[^\s\p{L}\p{N}\p{M}]/gu;

/** Where the tokens of a text stand, in code points. Deterministic: no locale, no dictionary. */
export function tokenPlaces(text: string): TokenPlaces {
  const starts: number[] = [];
  const ends: number[] = [];
  let [units, points] = [0, 0];
  const advance = (toUnits: number): number => {
    points += codePoints(text.slice(units, toUnits));
    units = toUnits;
    return points;
  };
  for (const match of text.matchAll(TOKEN)) {
    starts.push(advance(match.index));
    ends.push(advance(match.index + match[0].length));
  }
  return { starts, ends, length: advance(text.length) };
}

/** Words with their places: word i stands at `starts[i]` up to, not including, `ends[i]`, in code points. */
export interface WordPlaces extends TokenPlaces {
  readonly words: readonly string[];
}

/**
 * Words as `words` gives them, with the places of the tokens they come from. A token that becomes several words, as ½
 * does, lends its place to each of them.
 */
export function wordPlaces(text: string): WordPlaces {
  const places = tokenPlaces(text);
  const [found, starts, ends]: [string[], number[], number[]] = [[], [], []];
  for (const [index, token] of (text.match(TOKEN) ?? []).entries()) {
    for (const word of words(token)) {
      found.push(word);
      starts.push(places.starts[index] as number);
      ends.push(places.ends[index] as number);
    }
  }
  return { words: found, starts, ends, length: places.length };
}

/** Words of a text in lower case, compatibility forms unified; punctuation is left out. */
export function words(text: string): readonly string[] {
  return (text.normalize("NFKC").toLowerCase().match(TOKEN) ?? []).filter((token) => /[\p{L}\p{N}]/u.test(token));
}

/** Length in code points: what offsets of gold and passages count. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** A stretch of a text by code points. */
export function sliceCodePoints(text: string, start: number, end: number): string {
  return Array.from(text).slice(start, end).join("");
}

/** Share of common words among all words of two texts, each word once; 1 for two texts without words. */
export function wordJaccard(left: string, right: string): number {
  return jaccard(new Set(words(left)), new Set(words(right)));
}

/** Size of the intersection over size of the union; 1 for two empty sets. */
export function jaccard<T>(left: ReadonlySet<T>, right: ReadonlySet<T>): number {
  if (left.size === 0 && right.size === 0) return 1;
  let common = 0;
  for (const member of left) if (right.has(member)) common++;
  return common / (left.size + right.size - common);
}
