import { describe, expect, it } from "vitest";
import { readStart, readText } from "./bounded-body.ts";

/** A body of `chunks` that then ends, stays silent or breaks; says whether it was let go. */
function aBody(chunks: readonly string[], then: "ends" | "silent" | "breaks" | "endless") {
  const left = [...chunks];
  const body = { isCancelled: false, pulled: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        body.pulled++;
        const next = left.shift();
        if (next !== undefined) return controller.enqueue(new TextEncoder().encode(next));
        if (then === "ends") return controller.close();
        if (then === "breaks") return controller.error(new Error("gone"));
        if (then === "endless") return controller.enqueue(new Uint8Array(1_000));
        return new Promise(() => {});
      },
      cancel() {
        body.isCancelled = true;
        return new Promise(() => {}); // Some bodies never say that they are cancelled.
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, body };
}

const limits = () => ({ bytesMax: 10, until: AbortSignal.timeout(50) });

describe("readText", () => {
  it.each([
    ["no chunk", [], "", "whole"],
    ["exactly as many bytes as may be", ["12345", "67890"], "1234567890", "whole"],
    ["one byte more", ["12345", "678901"], "1234567890", "too-large"],
    ["a character cut by the chunks", ["\u00e4".repeat(5)], "\u00e4".repeat(5), "whole"],
  ])("%s", async (_what, chunks, text, kind) => {
    expect(await readText(aBody(chunks, "ends").stream, limits())).toEqual({ kind, text });
  });

  it("takes no body for an empty one", async () => {
    expect(await readText(null, limits())).toEqual({ kind: "whole", text: "" });
  });

  it("reads of an endless body at most one chunk more than the limit, and lets it go without waiting", async () => {
    const { stream, body } = aBody([], "endless");
    expect((await readText(stream, { bytesMax: 10_000, until: null })).kind).toBe("too-large");
    expect([body.pulled, body.isCancelled]).toEqual([11, true]);
  });

  it("gives a body that falls silent its time and no more, and keeps what came", async () => {
    const { stream, body } = aBody(["abc"], "silent");
    expect(await readText(stream, limits())).toEqual({ kind: "late", text: "abc" });
    expect(body.isCancelled).toBe(true);
  });

  it("rejects when the body breaks", async () => {
    await expect(readText(aBody(["abc"], "breaks").stream, limits())).rejects.toThrow("gone");
  });
});

describe("readStart", () => {
  it("hands on a reader that goes on where the bytes end", async () => {
    const { bytes, rest } = await readStart(aBody(["1234567890", "x", "yz"], "ends").stream, limits());
    expect(new TextDecoder().decode(bytes)).toBe("1234567890x");
    expect(new TextDecoder().decode((await rest?.read())?.value)).toBe("yz");
  });
});
