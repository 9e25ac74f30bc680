import { describe, expect, it } from "vitest";
import { fingerprintOf } from "./fingerprint.ts";

interface Asked {
  readonly query?: string;
  readonly type?: string;
  readonly body?: string;
}

function fingerprint({ query = "", type = "application/json", body = "{}" }: Asked): Promise<string> {
  const init = { method: "POST", headers: { "content-type": type } };
  return fingerprintOf(new Request(`http://x/files${query}`, init), new TextEncoder().encode(body));
}

const isSame = async (a: Asked, b: Asked) => (await fingerprint(a)) === (await fingerprint(b));

function form(boundary: string, parts: readonly (readonly [head: string, body: string])[]): Asked {
  const text = parts.map(([head, body]) => `--${boundary}\r\n${head}\r\n\r\n${body}\r\n`).join("");
  return { type: `multipart/form-data; boundary=${boundary}`, body: `${text}--${boundary}--\r\n` };
}

const FILE = 'Content-Disposition: form-data; name="file"; filename="a.txt"';
const TITLE = 'Content-Disposition: form-data; name="title"';

describe("fingerprintOf", () => {
  it("compares a form by its parts, whatever boundary separates them", async () => {
    const parts = [
      [TITLE, "Title"],
      [FILE, "hi"],
    ] as const;
    expect(await isSame(form("one", parts), form("another", parts))).toBe(true);
    expect(await isSame(form("one", parts), form("one", [parts[0], [FILE, "ho"]]))).toBe(false);
    expect(await isSame(form("one", parts), form("one", [parts[1], parts[0]]))).toBe(false);
    expect(await isSame(form("one", parts), form("one", [parts[0]]))).toBe(false);
    expect(await isSame(form("one", [[TITLE, "a"]]), form("one", [[FILE, "a"]]))).toBe(false);
  });

  it("takes a part's content exactly: line breaks, dashes and what looks like another boundary", async () => {
    const content = "\r\n--other\r\n--\r\n";
    expect(await isSame(form("one", [[FILE, content]]), form("two", [[FILE, content]]))).toBe(true);
    expect(await isSame(form("one", [[FILE, "a"]]), form("one", [[FILE, "a\r\n"]]))).toBe(false);
  });

  it("compares a multipart body that is not exactly parts byte for byte, its boundary included", async () => {
    const broken = (boundary: string, body: string): Asked => ({
      type: `multipart/form-data; boundary=${boundary}`,
      body,
    });
    expect(await isSame(broken("one", "--one\r\nno end"), broken("one", "--one\r\nno end"))).toBe(true);
    expect(await isSame(broken("one", "--one\r\nno end"), broken("two", "--one\r\nno end"))).toBe(false);
    const whole = form("one", [[TITLE, "a"]]);
    for (const around of [`before${whole.body}`, `${whole.body}after`]) {
      expect(await isSame(whole, { ...whole, body: around })).toBe(false);
    }
  });

  it("keeps the order of the values of one query name, and not that of the names", async () => {
    expect(await isSame({ query: "?a=1&b=2" }, { query: "?b=2&a=1" })).toBe(true);
    expect(await isSame({ query: "?a=1&a=2" }, { query: "?a=2&a=1" })).toBe(false);
    expect(await isSame({ query: "?a=1&b=0&a=2" }, { query: "?b=0&a=1&a=2" })).toBe(true);
    expect(await isSame({ query: "?a=x+y" }, { query: "?a=x%20y" })).toBe(true);
  });

  it("does not take two queries that are no UTF-8 for one", async () => {
    expect(await isSame({ query: "?a=%FF" }, { query: "?a=%FE" })).toBe(false);
    expect(await isSame({ query: "?a=%FF" }, { query: "?a=%25FF" })).toBe(false);
  });

  it("reads one content type in every spelling, and not two", async () => {
    const spellings = [
      "application/json; charset=utf-8",
      "application/json;charset=UTF-8",
      'Application/JSON ; Charset="utf-8"',
      "application/json; charset=utf8",
    ];
    for (const type of spellings) expect(await isSame({ type: spellings[0] as string }, { type }), type).toBe(true);
    const others = ["application/json; charset=latin1", "application/json; v=1", "text/json; charset=utf-8", "json"];
    for (const type of others) expect(await isSame({ type: spellings[0] as string }, { type }), type).toBe(false);
    expect(await isSame({ type: "a/b; x=1; y=2" }, { type: "a/b; y=2; x=1" })).toBe(true);
    expect(await isSame({ type: "a/b; x=1; x=2" }, { type: "a/b; x=2; x=1" })).toBe(false);
  });
});
