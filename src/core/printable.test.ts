import { describe, expect, it } from "vitest";
import { markdownText, printable, printableLine } from "./printable.ts";

const HOSTILE: readonly (readonly [what: string, text: string])[] = [
  ["an escape sequence", "a\u001b[2Jb"],
  ["a title sequence ended by a bell", "\u001b]0;pwned\u0007"],
  ["a C1 sequence", "\u009b2J"],
  ["a carriage return that overwrites the line", "failed\rpassed"],
  ["backspaces", "failed\b\b\b\b\b\bpassed"],
  ["a NUL", "a\0b"],
  ["DEL", "a\u007fb"],
  ["text that runs backwards", "a\u202edessap"],
  ["isolates", "\u2066x\u2069"],
  ["a line separator", "a\u2028::error::x"],
  ["an invisible sign", "pa\u200bss"],
  ["half a character", "a\ud800b"],
  ["a byte order mark", "\ufeff::error::x"],
];

describe("printable", () => {
  it.each(HOSTILE)("shows %s and does not do it", (_what, text) => {
    const shown = printable(text);
    expect(shown).toMatch(/^[\x20-\x7e]*$/);
    expect(shown).toMatch(/\\u[0-9a-f]{4}/);
    expect(JSON.parse(printable(JSON.stringify({ text })))).toEqual({ text });
  });

  it.each(["::error::x", "  ::set-output name=a::b", "##[error]x", "##vso[task.complete]"])(
    "begins no line with the command %s",
    (command) => {
      for (const text of [command, `fine\n${command}`, `fine\r\n${command}`]) {
        for (const line of printable(text).split("\n")) expect(line).not.toMatch(/^\s*(::|##)/);
      }
    },
  );

  it("leaves text of every script as it is", () => {
    const text = "ΔS 0.3 → größer\n質問 مرحبا 👩‍🚀".replace("\u200d", "");
    expect(printable(text)).toBe(text);
  });

  it("keeps text of others on its line", () => {
    expect(printableLine("a\nb\r\nc")).toBe("a\\nb\\nc");
  });
});

describe("markdownText", () => {
  it.each([
    ["a cell's end", "a | b", "a \\| b"],
    ["a new row", "a\n| b |", "a \\| b \\|"],
    ["HTML", "<img src=x onerror=alert(1)>", "\\<img src=x onerror=alert(1)\\>"],
    ["an entity", "&lt;b&gt;", "\\&lt;b\\&gt;"],
    ["a link", "[here](javascript:x)", "\\[here\\](javascript:x)"],
    ["an image", "![x](//evil)", "\\!\\[x\\](//evil)"],
    ["an address", "see http://evil.example", "see http:\\//evil.example"],
    ["a mention", "@owner", "@<!-- -->owner"],
    ["code", "`x`", "\\`x\\`"],
    ["an escape of an escape", "\\|", "\\\\\\|"],
    ["a heading", "# big", "\\# big"],
  ])("takes %s for text", (_what, text, expected) => {
    expect(markdownText(text)).toBe(expected);
  });
});
