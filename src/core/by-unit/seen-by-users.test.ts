import { describe, expect, it } from "vitest";
import { bp } from "../unit.ts";
import { seenByUsers } from "./seen-by-users.ts";

describe("what so many users can show", () => {
  it("takes more failing users at a larger share, because chance puts more of them on the candidate", () => {
    const shares = [100, 500, 1_000, 2_500, 5_000].map((share) => seenByUsers(3_000, bp(share), 0.001));
    expect(shares.map(({ users }) => users)).toEqual([30, 150, 300, 750, 1_500]);
    expect(shares.map(({ failing }) => failing)).toEqual([3, 4, 4, 7, 13]);
  });

  it("says where there are too few of them to stop anything", () => {
    expect(seenByUsers(30, bp(100), 0.001)).toEqual({ candidateBp: 100, users: 0, failing: null, leastPart: 1 });
    expect(seenByUsers(30, bp(1_000), 0.001)).toMatchObject({ users: 3, failing: null });
    expect(seenByUsers(30, bp(5_000), 0.001)).toMatchObject({ users: 15, failing: 13 });
  });

  it("states the harm that may meet none of them: three in a hundred, by the rule of three", () => {
    expect(seenByUsers(1_000, bp(1_000), 0.001).leastPart).toBeCloseTo(0.0295, 4);
  });
});
