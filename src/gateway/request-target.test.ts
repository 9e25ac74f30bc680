import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasDotSegment, originForm } from "./request-target.ts";

describe("originForm", () => {
  it("S4: lets through only visible characters behind a slash, in 5 000 arbitrary targets", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        for (const target of [text, `/${text}`, `http://h${text}`]) {
          const path = originForm(target, "h");
          if (path !== null) expect(path).toMatch(/^\/[!"$-[\]-~\u0080-\u00ff]*$/);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it("takes the absolute form of the Host, whatever its case, and of nobody else", () => {
    expect(originForm("http://RAG.example:80/a?b", "rag.example:80")).toBe("/a?b");
    expect(originForm("http://rag.example", "rag.example")).toBe("/");
    expect(originForm("http://rag.example?q", "rag.example")).toBe("/?q");
    expect(originForm("http://rag.example/", "other")).toBeNull();
    expect(originForm("http://rag.example/", null)).toBeNull();
    expect(originForm("http://u@rag.example/", "rag.example")).toBeNull();
  });

  it("refuses line breaks, fragments, backslashes and the asterisk", () => {
    for (const target of ["/a\r\nx: y", "/a\nb", "/a#b", "/a\\b", "*", "", "a"])
      expect(originForm(target, "h")).toBeNull();
  });
});

describe("hasDotSegment", () => {
  it("sees dots and their escapes as segments, and nothing else", () => {
    for (const path of ["/..", "/a/../b", "/%2e%2E/a", "/.%2e", "/a/.", "/./a"])
      expect(hasDotSegment(path), path).toBe(true);
    for (const path of ["/a..b", "/...", "/a?x=/../", "/.well-known", "/%2e%2e%2e"])
      expect(hasDotSegment(path), path).toBe(false);
  });
});
