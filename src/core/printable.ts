/**
 * What a terminal, a log of a CI system or a reader must not take from others: controls (all but the line feed), marks
 * that turn the direction of text, separators that some programs take for a new line, invisible signs, and halves of
 * characters.
 */
const UNPRINTABLE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A line that a CI system would obey: `::error::…` of GitHub, `##[command]` and `##vso[…]` of Azure. */
const COMMAND = /^(\s*)(::|##)/gm;

function escaped(sign: string): string {
  if (sign === "\t") return " ";
  const units = Array.from({ length: sign.length }, (_, at) => sign.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/**
 * Text whose lines are ours, made harmless: what cannot be printed is shown as `\u001b`, which is what it means inside
 * JSON too, and no line is a command of a CI system.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped).replace(COMMAND, "$1\\$2");
}

/** Text of others as part of one line: a new line in it is shown, not begun. */
export function printableLine(text: string): string {
  return printable(text.replace(/\r\n|\n/g, "\\n"));
}

/**
 * Text of others inside Markdown, a table's cell included: no markup, no HTML, no link, no mention.
 * @source GitHub Flavored Markdown, "Backslash escapes", "Autolinks (extension)"
 */
export function markdownText(text: string): string {
  return printable(text.replace(/\s+/g, " "))
    .replace(/[\\`*[\]<>|~&#!]/g, "\\$&")
    .replace(/:\/\//g, ":\\//")
    .replace(/\bwww\./gi, "$&<!-- -->")
    .replace(/@(?=\w)/g, "@<!-- -->");
}
