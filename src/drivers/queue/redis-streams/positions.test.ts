import { describe, expect, it } from "vitest";
import { compareIds, type GroupFacts, idBefore, progressFrom } from "./positions.ts";

const FACTS: GroupFacts = {
  delivered: "5-0",
  firstPending: "",
  last: "9-0",
  firstKept: "1-0",
  lastDeleted: "0-0",
  pending: 0,
  kept: 9,
  added: 9,
  read: 5,
  hasMore: true,
};

describe("positions of a stream", () => {
  it("compares ids past what a double holds, by milliseconds and then by number", () => {
    expect(compareIds("9-18446744073709551615", "9-18446744073709551614")).toBe(1);
    expect(compareIds("9007199254740993-0", "9007199254740992-5")).toBe(1);
    expect(compareIds("9-2", "10-1")).toBe(-1);
    expect(compareIds("10-1", "10-1")).toBe(0);
  });

  it("names the id before one: no entry lies between", () => {
    expect(idBefore("5-3")).toBe("5-2");
    expect(idBefore("5-0")).toBe("4-18446744073709551615");
    expect(idBefore("0-0")).toBe("0-0");
  });

  it("counts what waits by arithmetic, and says null where entries were deleted from what follows", () => {
    expect(progressFrom(FACTS)).toEqual({ settled: { "0": "5-0" }, inFlight: 0, waiting: 4 });
    expect(progressFrom({ ...FACTS, lastDeleted: "7-0" }).waiting).toBe(null);
    expect(progressFrom({ ...FACTS, read: null }).waiting).toBe(null);
    expect(progressFrom({ ...FACTS, firstKept: "6-0", kept: 4, read: null }).waiting).toBe(4);
  });

  it("is at the end when all that followed was deleted unread", () => {
    expect(progressFrom({ ...FACTS, hasMore: false })).toEqual({ settled: { "0": "9-0" }, inFlight: 0, waiting: 0 });
  });
});
