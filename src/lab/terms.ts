/** Names the analysis below; a change of any rule is a new version. */
export const ANALYZER = "lexical-en/1";

const STOP_WORDS = new Set(
  (
    "a about after all also am an and any are as at be been before being between both but by can could did do does " +
    "doing during each every few for from had has have having he her here him his how i if in into is it its just " +
    "kind let many may me might more most much must my no nor not now of off on one only or other our out over " +
    "please same she should since so some such tell than that the their them then there these they this those to " +
    "too under until up us very was we were what when where which while who whom whose why will with would you your"
  ).split(" "),
);

const VOWEL = /[aeiouy]/;

/** Drops a suffix when a stem with a vowel stays, and a consonant doubled only for the suffix. */
function strip(word: string, suffix: string): string {
  const stem = word.slice(0, -suffix.length);
  if (stem.length < 3 || !VOWEL.test(stem)) return word;
  return /([bdfgmnprt])\1$/.test(stem) ? stem.slice(0, -1) : stem;
}

/**
 * A light English stemmer: plurals, -ing, -ed, -ly, -ation, -ate, -ment, a final e, a final y. It unites forms of a
 * word ("rolled", "rolling", "rolls"); it does not try to find the dictionary form.
 */
export function stem(word: string): string {
  if (word.length <= 3 || !/^[a-z]+$/.test(word)) return word;
  let root = word;
  if (root.endsWith("ies")) root = `${root.slice(0, -3)}y`;
  else if (/(ss|sh|ch|x|z)es$/.test(root)) root = root.slice(0, -2);
  else if (root.endsWith("s") && !/(ss|us|is)$/.test(root)) root = root.slice(0, -1);
  const suffix = ["ations", "ation", "ment", "ingly", "edly", "ing", "ed", "ly"].find((end) => root.endsWith(end));
  if (suffix !== undefined && !root.endsWith("eed")) root = strip(root, suffix);
  if (root.length > 4) root = root.replace(/ate?$/, "");
  if (root.length > 3 && root.endsWith("e")) root = root.slice(0, -1);
  return root.length > 2 && root.endsWith("y") ? `${root.slice(0, -1)}i` : root;
}

/** Stems of a text in order, repeated as they occur: lower case, accents folded, stop words left out. */
export function terms(text: string): readonly string[] {
  const folded = text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/['’]s\b/g, "");
  const words: readonly string[] = folded.match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.filter((word) => !STOP_WORDS.has(word)).map(stem);
}
