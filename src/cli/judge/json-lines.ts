const OBJECT = 123;
const NEWLINES = /\n/g;

/** How many lines a text has when all of them may be parsed in one call; 0 when each has to be parsed alone. */
export function countTogether(text: string): number {
  if (text.includes("[")) return 0;
  let lines = 0;
  let start = 0;
  do {
    if (text.charCodeAt(start) !== OBJECT) return 0;
    lines++;
    start = text.indexOf("\n", start) + 1;
  } while (start > 0);
  return lines;
}

/**
 * Values of the lines that `countTogether` counted, parsed as one list, which is faster; null when they are not one
 * value each. Malformed lines never make a value together: the newlines stay, which no string may hold, and each line
 * opens an object, before which a comma may stand in a list only, of which there is no other one. What holds two values
 * in one line is told by the count.
 */
export function parseTogether(text: string, lines: number): readonly unknown[] | null {
  try {
    const values: unknown = JSON.parse(`[${text.replace(NEWLINES, ",\n")}]`);
    return Array.isArray(values) && values.length === lines ? values : null;
  } catch {
    return null;
  }
}
