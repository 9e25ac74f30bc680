import { describe, expect, it } from "vitest";
import { markdownSections, slug } from "./markdown.ts";

describe("slug", () => {
  it("joins runs of anything but letters and digits with one hyphen", () => {
    expect(slug("Roll back (now!)")).toBe("roll-back-now");
    expect(slug("  Größe & Maß ")).toBe("größe-maß");
  });
});

describe("markdownSections", () => {
  it("makes a section of each second-level heading and an intro of the text before the first", () => {
    const sections = markdownSections(
      "guide",
      "# Guide\n\nHello.\n\n## First part\nOne.\n\n### Detail\nTwo.\n\n## Second\nThree.",
    );
    expect(sections).toEqual([
      { doc: "guide", section: "guide#intro", text: "Hello." },
      { doc: "guide", section: "guide#first-part", text: "First part\nOne.\n\nDetail\nTwo." },
      { doc: "guide", section: "guide#second", text: "Second\nThree." },
    ]);
  });

  it("has no intro when only the title stands before the first heading", () => {
    expect(markdownSections("a", "# A\n\n## B\nText").map(({ section }) => section)).toEqual(["a#b"]);
  });

  it("has no section for a document with a title and nothing else", () => {
    expect(markdownSections("a", "# A\n\n<!-- note -->\n")).toEqual([]);
  });

  it("numbers a heading that occurs again, so that ids stay unique", () => {
    expect(markdownSections("a", "## B\none\n## B\ntwo").map(({ section }) => section)).toEqual(["a#b", "a#b-2"]);
  });

  it("reduces inline markup to its text and leaves identifiers alone", () => {
    const source =
      "## H\nA **bold** and *soft* [link](https://x.test/a_(b)) to `snake_case_name`, 2 * 3 * 4, a_b_c, ![pic](p.png) \\*kept\\*.";
    expect(markdownSections("a", source)[0]?.text).toBe(
      "H\nA bold and soft link to snake_case_name, 2 * 3 * 4, a_b_c, pic *kept*.",
    );
  });

  it("reduces lists, quotes and tables to their words", () => {
    const source = "## H\n- one\n2. two\n> three\n\n| a | b |\n| --- | :-: |\n| c | d |\n\n---\n";
    expect(markdownSections("a", source)[0]?.text).toBe("H\none\ntwo\nthree\n\na b\n\nc d");
  });

  it("joins the lines of a wrapped paragraph or list item and keeps the others apart", () => {
    const source =
      "# T\nfirst\nsecond\n\nthird\n## H\nfourth\n- five\n  six\n- seven\n### Eight\nnine\n```\na\nb\n```\nten";
    expect(markdownSections("a", source).map(({ text }) => text)).toEqual([
      "first second\n\nthird",
      "H\nfourth\nfive six\nseven\nEight\nnine\na\nb\nten",
    ]);
  });

  it("keeps code and sees no heading in it", () => {
    const source = "## H\n```sh\n## not a heading\nrun --it\n```\nafter";
    expect(markdownSections("a", source)).toEqual([
      { doc: "a", section: "a#h", text: "H\n## not a heading\nrun --it\nafter" },
    ]);
  });

  it("reads Windows line ends, a byte order mark and front matter", () => {
    expect(markdownSections("a", "\uFEFF---\r\ntitle: x\r\n---\r\n# T\r\n## H\r\nBody\r\n")[0]?.text).toBe("H\nBody");
  });
});
