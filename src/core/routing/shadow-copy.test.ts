import { describe, expect, it } from "vitest";
import { randomStream } from "../stats/random.ts";
import { ShadowSampler, withoutSecrets } from "./shadow-copy.ts";

describe("a copy of a request", () => {
  it.each([
    ["/a?q=1", "/a?q=1"],
    ["/a", "/a"],
    ["/a?token=1", "/a"],
    ["/a?q=1&api_key=2&k=3", "/a?q=1&k=3"],
    ["/a?apikey=2&accessToken=1&id_token=4&X-Amz-Signature=3&sig=5", "/a"],
    ["/a?pass%77ord=1&q=2", "/a?q=2"],
    ["/a?author=1&monkey=2&design=3&encode=4&q=%E0%A4%A", "/a?author=1&monkey=2&design=3&encode=4&q=%E0%A4%A"],
    ["/a?session=1&code=2&jwt=3&auth=4", "/a"],
  ])("has of %s the path %s: no parameter that is named for a secret", (path, kept) => {
    expect(withoutSecrets(path)).toBe(kept);
  });

  it.each([1, 37, 1_000, 3_333, 9_999, 10_000])(
    "is made of %i in 10 000 requests, at any moment give or take two",
    (shareBp) => {
      const random = randomStream(7);
      const sampler = new ShadowSampler(shareBp, () => random());
      let [chosen, farthest] = [0, 0];
      for (let seen = 1; seen <= 50_000; seen++) {
        if (sampler.choose()) chosen++;
        farthest = Math.max(farthest, Math.abs(chosen - (seen * shareBp) / 10_000));
      }
      expect(farthest).toBeLessThan(2);
    },
  );

  it("is made of every client alike, also of one that is always the tenth", () => {
    const random = randomStream(11);
    const sampler = new ShadowSampler(1_000, () => random());
    const chosen = Array.from({ length: 10 }, () => 0);
    for (let seen = 0; seen < 100_000; seen++) if (sampler.choose()) chosen[seen % 10] = (chosen[seen % 10] ?? 0) + 1;
    for (const count of chosen) expect(Math.abs(count - 1_000)).toBeLessThan(200);
  });
});
