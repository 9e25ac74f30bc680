/** A field of a line with its column, from 1. */
export interface Field {
  readonly text: string;
  readonly column: number;
}

/** A line that is not blank; numbers begin at 1. */
export interface TableLine {
  readonly number: number;
  readonly text: string;
}

/** The lines of a text that are not blank; a byte order mark and carriage returns are no part of them. */
export function linesOf(text: string): readonly TableLine[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  return lines.flatMap((line, index) => (line.trim() === "" ? [] : [{ number: index + 1, text: line }]));
}

/** Fields parted by tabs, without the blanks around them; an empty field is one too. */
export function tabFields({ text }: TableLine): readonly Field[] {
  let at = 0;
  return text.split("\t").map((part) => {
    const field = { text: part.trim(), column: at + part.length - part.trimStart().length + 1 };
    at += part.length + 1;
    return field;
  });
}

/** Fields parted by any blanks. */
export function blankFields({ text }: TableLine): readonly Field[] {
  return [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], column: match.index + 1 }));
}
