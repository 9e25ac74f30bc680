import { describe, expect, it } from "vitest";
import { bodyDocument } from "./body-document.ts";

describe("bodyDocument", () => {
  it("reads the events of a stream in order, leaves [DONE] out, and needs no blank line at the end", () => {
    const stream = 'data: {"type":"a"}\n\nevent: x\ndata: {"type":\ndata: "b"}\n\ndata: [DONE]\n\ndata: {"type":"c"}';
    expect(bodyDocument(stream, "sse")).toEqual([{ type: "a" }, { type: "b" }, { type: "c" }]);
  });

  it("is undefined for a body of another format", () => {
    expect(bodyDocument("<html>", "json")).toBeUndefined();
    expect(bodyDocument("<html>", "sse")).toBeUndefined();
    expect(bodyDocument('{"a":1}\n<html>', "ndjson")).toBeUndefined();
    expect(bodyDocument("", "ndjson")).toBeUndefined();
  });

  it("reads lines and plain text", () => {
    expect(bodyDocument('{"a":1}\n\n{"a":2}\n', "ndjson")).toEqual([{ a: 1 }, { a: 2 }]);
    expect(bodyDocument("Ten days.", "text")).toBe("Ten days.");
  });
});
