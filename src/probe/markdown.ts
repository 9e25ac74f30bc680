/** One section of a corpus: what a gold set points at. Offsets elsewhere are code points within `text`. */
export interface Section {
  readonly doc: string;
  /** Unique in the corpus; `<doc>#<slug>` for Markdown. */
  readonly section: string;
  readonly text: string;
}

/** `Roll back (now)` becomes `roll-back-now`. */
export function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-+|-+$/g, "");
}

function plainInline(line: string): string {
  return line
    .replaceAll(/!?\[([^\]]*)\]\((?:[^()]|\([^()]*\))*\)/g, "$1")
    .replaceAll(/\[([^\]]+)\]\[[^\]]*\]/g, "$1")
    .replaceAll(/<((?:https?|mailto):[^>\s]+)>/g, "$1")
    .replaceAll(/<\/?[a-zA-Z][^>]*>/g, " ")
    .replaceAll(/(`+)([^`]+)\1/g, "$2")
    .replaceAll(/(\*\*|__)(?=\S)(.+?)(?<=\S)\1/g, "$2")
    .replaceAll(/(?<![\p{L}\p{N}*_\\])([*_])(?=\S)([^*_]+?)(?<=\S)\1(?![\p{L}\p{N}*_])/gu, "$2")
    .replaceAll(/\\([\\`*_{}[\]()#+\-.!|<>])/g, "$1");
}

/** One line outside a code fence as plain text; null for a line that is markup and nothing else. */
function plainLine(line: string): string | null {
  if (/^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?\s*$/.test(line)) return null; // Below the head of a table.
  if (/^\s*-{3,}\s*$/.test(line)) return null;
  if (/^\s*(\*\s*){3,}$|^\s*(_\s*){3,}$|^\s*={3,}\s*$/.test(line)) return null;
  if (/^\s*\[[^\]]+\]:\s+\S+/.test(line)) return null; // Link definition.
  const bare = line
    .replace(/^\s*(>\s?)+/, "")
    .replace(/^\s*#{1,6}\s+(.*?)\s*#*\s*$/, "$1")
    .replace(/^(\s*)(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?/, "$1");
  const cells = /^\s*\|.*\|\s*$/.test(bare) ? bare.replaceAll(/\s*(?<!\\)\|\s*/g, " ") : bare;
  return plainInline(cells).replaceAll(/\s+/g, " ").trim();
}

/** Lines that end with their line break: headings and table rows. */
const STANDS_ALONE = /^\s*(#{1,6}\s|\|)/;
/** Lines that do not continue the paragraph above. */
const BEGINS = /^\s*([-*+]\s|\d+[.)]\s|>|#{1,6}\s|\||$)/;

interface Block {
  readonly heading: string | null;
  readonly lines: string[];
}

function blocksOf(source: string): readonly Block[] {
  const blocks: Block[] = [{ heading: null, lines: [] }];
  let fence: string | null = null;
  let isOpen = false; // Whether the next line may continue the last one: wrapped text is one paragraph.
  for (const line of source.split("\n")) {
    const marker = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (marker !== undefined && (fence === null || marker.startsWith(fence))) {
      fence = fence === null ? marker : null;
      isOpen = false;
      continue;
    }
    const lines = (blocks.at(-1) as Block).lines;
    const heading = /^##\s+(.*?)\s*#*\s*$/.exec(line)?.[1];
    if (fence !== null) lines.push(line.trimEnd());
    else if (heading !== undefined) blocks.push({ heading: plainInline(heading).trim(), lines: [] });
    else if (blocks.length === 1 && /^#\s+/.test(line))
      continue; // The title names the document, not a section.
    else {
      const plain = plainLine(line) ?? "";
      if (isOpen && plain !== "" && !BEGINS.test(line)) lines.push(`${lines.pop()} ${plain}`);
      else lines.push(plain);
    }
    isOpen =
      fence === null && lines.length > 0 && lines.at(-1) !== "" && heading === undefined && !STANDS_ALONE.test(line);
  }
  return blocks;
}

function joined(lines: readonly string[]): string {
  return lines
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .replace(/^\n+/, "")
    .trimEnd();
}

/**
 * The sections of one Markdown document: one for each `##` heading (`<doc>#<slug>`, a repeated slug gets `-2`), and
 * `<doc>#intro` for text before the first. Deeper headings stay inside. Markup is reduced to plain text; code is kept.
 */
export function markdownSections(doc: string, source: string): readonly Section[] {
  const text = source
    .replace(/^\uFEFF/, "")
    .replaceAll(/\r\n?/g, "\n")
    .replace(/^---\n[\s\S]*?\n---\n/, "")
    .replaceAll(/<!--[\s\S]*?-->/g, "");
  const seen = new Map<string, number>();
  return blocksOf(text).flatMap(({ heading, lines }) => {
    const body = joined(lines);
    if (heading === null && body === "") return [];
    const name = heading === null ? "intro" : slug(heading) || "section";
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    const section = `${doc}#${times === 1 ? name : `${name}-${times}`}`;
    return [{ doc, section, text: heading === null ? body : joined([heading, body]) }];
  });
}
