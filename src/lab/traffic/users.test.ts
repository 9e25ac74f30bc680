import { describe, expect, it } from "vitest";
import { seeded } from "../seeded.ts";
import { zipfUsers } from "./users.ts";

describe("zipfUsers", () => {
  it("gives user r a weight of 1 / r^0.7 among 20 000", () => {
    const pick = zipfUsers(20_000, 0.7);
    const random = seeded(7, "test");
    const counts = new Map<string, number>();
    const draws = 400_000;
    for (let i = 0; i < draws; i++) {
      const user = pick(random.float());
      counts.set(user, (counts.get(user) ?? 0) + 1);
    }
    const all = Array.from({ length: 20_000 }, (_, i) => (i + 1) ** -0.7);
    const sum = all.reduce((left, right) => left + right, 0);
    for (const rank of [1, 2, 3, 10]) {
      const expected = (draws * all[rank - 1]!) / sum;
      // Five standard deviations of a Poisson count.
      expect(Math.abs(counts.get(`user-${rank}`)! - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
    const head = Array.from({ length: 1_000 }, (_, i) => counts.get(`user-${i + 1}`) ?? 0).reduce(
      (left, right) => left + right,
      0,
    );
    const headShare = all.slice(0, 1_000).reduce((left, right) => left + right, 0) / sum;
    expect(head / draws).toBeCloseTo(headShare, 2);
  });

  it("reaches the first and the last user and nobody else", () => {
    const pick = zipfUsers(3, 0.7);
    expect(pick(0)).toBe("user-1");
    expect(pick(1 - Number.EPSILON)).toBe("user-3");
    expect(zipfUsers(1, 2)(0.5)).toBe("user-1");
  });

  it("is even at exponent 0", () => {
    const pick = zipfUsers(4, 0);
    expect([0.1, 0.3, 0.6, 0.9].map(pick)).toEqual(["user-1", "user-2", "user-3", "user-4"]);
  });
});
