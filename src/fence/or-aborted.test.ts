import { getEventListeners } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { orAborted } from "./or-aborted.ts";

const never = new Promise<string>(() => {});

describe("orAborted", () => {
  it("gives what the work ends with, also when it fails", async () => {
    const { signal } = new AbortController();
    expect(await orAborted(Promise.resolve("done"), signal)).toBe("done");
    await expect(orAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
  });

  it("gives null when the signal aborts first, or had aborted before", async () => {
    const stop = new AbortController();
    const waiting = orAborted(never, stop.signal);
    stop.abort();
    expect(await waiting).toBeNull();
    expect(await orAborted(never, stop.signal)).toBeNull();
  });

  it("leaves nothing behind on a signal that outlives it", async () => {
    const { signal } = new AbortController();
    for (let wait = 0; wait < 20; wait++) await orAborted(Promise.resolve(), signal);
    await turn();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
