import { describe, expect, it } from "vitest";
import { checkAnswer } from "./answer-schema.ts";
import { parsePointer, readPointer, writePointer } from "../core/json-pointer.ts";
import { mappedAnswer, readTargetMap, requestBody, type TargetMap } from "./map.ts";

const MAP = `
request:
  body: { stream: false, options: { lang: en } }
  question: /input/text
  k: /options/top_k
response:
  answer: /data/text
  retrieved: /hits
  passage: { doc: /source, section: /id, text: /body/0 }
  citations: /data/sources
  citation: { doc: /source, section: "" }
`;

function mapOf(text: string): TargetMap {
  const read = readTargetMap(text);
  if ("targetMap" in read) return read.targetMap;
  throw new Error(JSON.stringify(read));
}

describe("JSON pointers (RFC 6901 §5)", () => {
  const document = { foo: ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "m~n": 8 };

  it.each([
    ["", document],
    ["/foo", ["bar", "baz"]],
    ["/foo/0", "bar"],
    ["/", 0],
    ["/a~1b", 1],
    ["/c%d", 2],
    ["/m~0n", 8],
    ["/foo/2", undefined],
    ["/foo/01", undefined],
    ["/foo/-", undefined],
    ["/constructor", undefined],
    ["/foo/length", undefined],
  ])("%s", (text, value) => {
    expect(readPointer(document, parsePointer(text) ?? ["not a pointer"])).toEqual(value);
  });

  it("are none without a leading slash or with a stray tilde", () => {
    expect([parsePointer("foo"), parsePointer("/a~2")]).toEqual([null, null]);
  });

  it("write into a copy, make objects on the way, and stop at lists and plain values", () => {
    const before = { a: [1, { b: 2 }] };
    expect(writePointer(before, ["a", "1", "c", "d"], 3)).toEqual({ document: { a: [1, { b: 2, c: { d: 3 } }] } });
    expect(before).toEqual({ a: [1, { b: 2 }] });
    expect([writePointer(before, ["a", "2"], 3), writePointer(before, ["a", "0", "x"], 3)]).toEqual([null, null]);
    expect(Object.getPrototypeOf(writePointer({}, ["__proto__", "x"], 1)?.document)).toBe(Object.prototype);
  });
});

describe("a target map", () => {
  it("puts the question where the service wants it and leaves out what it does not take", () => {
    expect(requestBody({ question: "why?", k: 5, seed: 1 }, mapOf(MAP))).toEqual({
      stream: false,
      options: { lang: "en", top_k: 5 },
      input: { text: "why?" },
    });
    expect(requestBody({ question: "why?", k: 5, seed: null }, null)).toEqual({
      question: "why?",
      k: 5,
      seed: null,
      probe: true,
    });
  });

  it("reads the answer into the contract's shape; numbers that name things become texts", () => {
    const body = { data: { text: "because", sources: [] }, hits: [{ source: "d", id: 7, body: ["t"] }] };
    expect(checkAnswer(mappedAnswer(body, mapOf(MAP)), 10)).toEqual({
      kind: "answer",
      answer: {
        answer: "because",
        refused: false,
        retrieved: [{ doc: "d", section: "7", rev: null, start: null, end: null, text: "t" }],
        citations: [],
      },
    });
  });

  it("lets what is missing break the contract", () => {
    const checked = checkAnswer(mappedAnswer({ data: {}, hits: [{ source: "d" }] }, mapOf(MAP)), 10);
    expect(checked.kind).toBe("schema-violation");
  });

  it("reports unknown keys with the near one, bad pointers and blocked ways, with their places", () => {
    const problems = readTargetMap(MAP.replace("answer: /data/text", "anwser: data/text").replace("/hits", "hits"));
    if ("targetMap" in problems) throw new Error("expected problems");
    expect(problems.map(({ code, at }) => [code, at?.line]).sort()).toEqual([
      ["E222", 7],
      ["E224", 7],
      ["E225", 8],
    ]);
    expect(problems.find(({ code }) => code === "E224")?.message).toContain('did you mean "answer"?');
    const blocked = readTargetMap(MAP.replace("/options/top_k", "/stream/k"));
    expect(blocked).toMatchObject([{ code: "E226", path: "request.k", at: { line: 5 } }]);
  });
});

describe("checkAnswer", () => {
  const passage = { doc: "d", section: "s", start: 0, end: 3, text: "abc", score: 1 };
  const answer = { answer: "x", refused: false, retrieved: [passage], citations: [{ doc: "d", section: "s" }] };

  it("takes the default contract, keeps k passages and lets further members through", () => {
    const checked = checkAnswer({ ...answer, more: 1, retrieved: [passage, passage, passage] }, 2);
    expect(checked.kind === "answer" && checked.answer.retrieved).toHaveLength(2);
  });

  it.each([
    ["citations as texts", { citations: ["s"] }],
    ["a text for refused", { refused: "false" }],
    ["no retrieved", { retrieved: undefined }],
    ["offsets backwards", { retrieved: [{ ...passage, start: 4 }] }],
    ["fractional offsets", { retrieved: [{ ...passage, start: 0.5 }] }],
    ["an end missing", { retrieved: [{ ...passage, end: undefined }] }],
  ])("calls %s a schema violation and says where", (_, over) => {
    const checked = checkAnswer({ ...answer, ...over }, 10);
    expect(checked.kind).toBe("schema-violation");
    expect(checked.kind === "schema-violation" && checked.detail.length).toBeGreaterThan(10);
  });
});
