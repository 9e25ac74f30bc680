import { describe, expect, it } from "vitest";
import { selectorsOf } from "./selectors.ts";

/** Selectors as `text`, followed by `reachMs` when that is not 0. */
function reads(query: string): readonly string[] {
  const found = selectorsOf(query);
  if (found.kind === "unclear") throw new Error(found.reason);
  return found.selectors.map(({ text, reachMs }) => (reachMs === 0 ? text : `${text} ${reachMs}`));
}

describe("the selectors of a query", () => {
  it.each([
    ["up", ["up"]],
    ['up{job="rag", env=~"a|b"}', ['up{job="rag", env=~"a|b"}']],
    ["rate(errors_total[5m])", ["errors_total 300000"]],
    ["sum(rate(a[1h30m])) / sum(rate(b[30s]))", ["a 5400000", "b 30000"]],
    ["sum by (job, pod) (a) / on (job) group_left (pod) b", ["a", "b"]],
    ["sum(a) without(pod) > bool 5", ["a"]],
    ["a and b or c unless d atan2 e", ["a", "b", "c", "d", "e"]],
    ["job:errors:rate5m / 100", ["job:errors:rate5m"]],
    ["histogram_quantile(0.95, sum by (le) (rate(latency_bucket[5m])))", ["latency_bucket 300000"]],
    ['label_replace(a, "x", "$1 b{c}", "y", "(.*)")', ["a"]],
    ['a{b="c}d[5m]#"} # and e\n+ f', ['a{b="c}d[5m]#"}', "f"]],
    ['{__name__="a", job="b"}', ['{__name__="a", job="b"}']],
    ['{"http.requests", job="b"}[1m]', ['{"http.requests", job="b"} 60000']],
    ["a + a", ["a"]],
    ["(a) and b[1m] or {__name__='or'} unless 'x' and 1 or c", ["a", "b 60000", "{__name__='or'}", "c"]],
    ["rate(a[1m]) / rate(a[5m])", ["a 60000", "a 300000"]],
    ["a[300]", ["a 300000"]],
    ["a[500ms]", ["a 500"]],
    ["1e-3 * .5 * 0x1F + Inf - NaN * a", ["a"]],
    ["vector(1) + time()", []],
  ])("%s", (query, expected) => {
    expect(reads(query)).toEqual(expected);
  });

  it.each([
    ["a / a offset 1d", ["a"]],
    ["a offset 5m", []],
    ["a @ 1609746000", []],
    ["rate(a[5m] offset -1h @ end()) + b", ["b"]],
    ["a @ start() offset 5m + b", ["b"]],
    ["a OFFSET 5m", []],
  ])("leaves out what is compared with on purpose, parts moved in time: %s", (query, expected) => {
    expect(reads(query)).toEqual(expected);
  });

  it("adds the range of every subquery to what each selector may reach back to", () => {
    expect(reads("max_over_time(rate(a[1m])[10m:1m]) / b")).toEqual(["a 660000", "b 600000"]);
    expect(reads("max_over_time(a[10m:])")).toEqual(["a 600000"]);
    expect(selectorsOf("max_over_time(rate(a[1m])[10m:]) / b")).toMatchObject({
      selectors: [{ isRange: true }, { isRange: false }],
    });
  });

  it.each([
    ["rate(a[$__interval])", "at character 8 is no PromQL"],
    ["a{b", '"{" at character 2 is never closed'],
    ['a{b="c', '""c" at character 5'],
    ["rate(a[5 parsecs])", "no duration"],
    ["rate(a[5m)", "never closed"],
    ["a + and", 'the word "and"'],
    ["(or{b='c'}) / a", 'the word "or"'],
    ['{job="b"}', "names no metric"],
    ['{__name__=~"a|b"}', "names no metric"],
    ['{job=~"a", "b"="c"}', "names no metric"],
    ["max_over_time(a[10m:1m]) + max_over_time(rate(b[1m])[10m:1m] offset 1h)", "moved in time"],
  ])("are unclear, never skipped: %s", (query, reason) => {
    expect(selectorsOf(query)).toEqual({ kind: "unclear", reason: expect.stringContaining(reason) });
  });
});
