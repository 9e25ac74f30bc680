import { describe, expect, it } from "vitest";
import { checkAnswer } from "./answer-schema.ts";
import { parsePointer, readPointer, writePointer } from "../core/json-pointer.ts";
import { readTargetMap, requestOf, type TargetMap } from "./map.ts";
import { mappedAnswer } from "./mapped-answer.ts";

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
    const url = "http://127.0.0.1:1/a";
    expect(requestOf(url, { question: "why?", k: 5, seed: 1 }, mapOf(MAP)).body).toEqual({
      stream: false,
      options: { lang: "en", top_k: 5 },
      input: { text: "why?" },
    });
    expect(requestOf(url, { question: "why?", k: 5, seed: null }, null)).toEqual({
      method: "POST",
      url,
      body: { question: "why?", k: 5, seed: null, probe: true },
    });
  });

  it("asks by GET with a query string, where the service wants it so", () => {
    const map = mapOf(
      MAP.replace(/request:[^]*response:/, "request: { method: GET, query: { q: question, n: k } }\nresponse:"),
    );
    const question = { question: "why & how?", k: 5, seed: null };
    expect(requestOf("http://127.0.0.1:1/ask?lang=en", question, map)).toEqual({
      method: "GET",
      url: "http://127.0.0.1:1/ask?lang=en&q=why+%26+how%3F&n=5",
      body: null,
    });
    const both = readTargetMap(MAP.replace("request:", "request:\n  method: GET"));
    expect(both).toMatchObject([{ code: "E226", message: expect.stringContaining("a GET has no body") }]);
    const nowhere = readTargetMap(MAP.replace("  question: /input/text\n", ""));
    expect(nowhere).toMatchObject([{ code: "E226", message: expect.stringContaining("the question is sent nowhere") }]);
  });

  it("reads the answer into the contract's shape; numbers that name things become texts", () => {
    const body = { data: { text: "because", sources: [] }, hits: [{ source: "d", id: 7, body: ["t"] }] };
    expect(checkAnswer(mappedAnswer(body, mapOf(MAP)).answer, 10)).toEqual({
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
    const { answer, nowhere } = mappedAnswer({ data: {}, hits: [{ source: "d" }] }, mapOf(MAP));
    expect(checkAnswer(answer, 10)).toMatchObject({ kind: "schema-violation", field: "answer" });
    expect(nowhere.get("answer")).toBe("pointer /data/text (answer) leads nowhere: /data has no members");
    expect(nowhere.get("retrieved[].section")).toBe(
      "pointer /id (retrieved[].section) leads nowhere: the element has source",
    );
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

describe("readings of a target map", () => {
  const answerOf = (response: string, document: unknown) => {
    const map = mapOf(`request: { question: /q }\nresponse:\n${response.replace(/^/gm, "  ")}`);
    return checkAnswer(mappedAnswer(document, map).answer, 10);
  };

  it("join the parts of a stream and pick the events of one type; an absent list is an empty one", () => {
    const stream = [
      { type: "text", delta: "be" },
      { type: "text", delta: "cause" },
      { type: "source", id: "d#s" },
    ];
    const response = `
answer: { each: "", where: { /type: text }, read: /delta, join: "" }
retrieved: { each: "", where: { /type: source } }
passage: { doc: { read: /id, pattern: "^([^#]+)#" }, section: { read: /id, pattern: "#(.+)$" } }`;
    expect(answerOf(response, stream)).toMatchObject({
      kind: "answer",
      answer: {
        answer: "because",
        retrieved: [{ doc: "d", section: "s", text: "" }],
        citations: [{ doc: "d", section: "s" }],
      },
    });
    expect(answerOf(response, stream.slice(0, 1))).toMatchObject({ answer: { retrieved: [], citations: [] } });
  });

  it("make one list of the lists inside the chosen elements", () => {
    const output = [
      { type: "search", results: [{ id: "a" }, { id: "b" }] },
      { type: "message" },
      { type: "search", results: [{ id: "c" }] },
    ];
    const response = `
answer: /text
retrieved: { each: /output, where: { /type: search }, read: /results }
passage: { doc: { value: kb }, section: /id }`;
    expect(answerOf(response, { text: "x", output })).toMatchObject({
      answer: { retrieved: ["a", "b", "c"].map((section) => ({ doc: "kb", section })) },
    });
  });

  it("find what a plain text refers to, each once, and see a refusal in its words", () => {
    const response = `
answer: ""
refused: { in: "", pattern: "^I do not know" }
retrieved: { in: "", pattern: "\\\\[(?<doc>[a-z]+)#(?<section>[a-z0-9-]+)\\\\]" }`;
    expect(answerOf(response, "Ten days [shop#f-1], see [shop#f-2] and [shop#f-1].")).toMatchObject({
      answer: { refused: false, retrieved: [{ section: "f-1" }, { section: "f-2" }] },
    });
    expect(answerOf(response, "I do not know.")).toMatchObject({ answer: { refused: true, retrieved: [] } });
  });

  it("take ids without text, which is level L3", () => {
    const response = 'answer: /a\nretrieved: /ids\npassage: { doc: { value: kb }, section: "" }';
    expect(answerOf(response, { a: "x", ids: ["s1", 7] })).toMatchObject({
      answer: { retrieved: [{ section: "s1", text: "", start: null }, { section: "7" }] },
    });
  });

  it("are told apart when they are wrong: a stray key, a pattern without groups, a list without its shape", () => {
    const problems = (response: string) => {
      const read = readTargetMap(`request: { question: /q }\nresponse:\n${response.replace(/^/gm, "  ")}`);
      return "targetMap" in read ? [] : read.map(({ code, message }) => `${code} ${message}`);
    };
    expect(problems('answer: { each: "", reed: /delta }\nretrieved: { in: "", pattern: x }')).toEqual([
      expect.stringContaining('E224 unknown key "reed"'),
      expect.stringContaining("needs the groups (?<doc>…) and (?<section>…)"),
    ]);
    expect(problems("answer: 7\nretrieved: /ids")).toEqual([
      expect.stringContaining("E223 found 7 for response.answer"),
    ]);
    expect(problems("answer: /a\nretrieved: /ids")).toEqual([expect.stringContaining("response.passage is missing")]);
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
