import { describe, expect, it } from "vitest";
import { readRollout } from "../../test/known-drivers.ts";
import { isProblems } from "./read-rollout.ts";

/** The codes of a document's problems, with what they say. */
function problemsOf(cache: string, prefixes: readonly [stable: string, candidate: string]): readonly string[] {
  const document = `
apiVersion: sluice/v1
kind: Rollout
metadata: { name: r1 }
spec:
  service: rag
  stable: { url: "http://127.0.0.1:4001/answer", cachePrefix: "${prefixes[0]}" }
  candidate: { url: "http://127.0.0.1:4002/answer", cachePrefix: "${prefixes[1]}" }
  route: { driver: gateway, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: { blueGreen: {} }
  gates: [{ use: demo }]
  cache: { driver: redis, url: "redis://127.0.0.1:6379"${cache} }
`;
  const read = readRollout(document);
  return isProblems(read) ? read.filter(({ code }) => code === "E145").map(({ message }) => message) : [];
}

describe("the caches of a cutover's arms", () => {
  it("may not collide: namespaces inside each other, given or by the arms' prefixes, and keys that carry one", () => {
    expect(problemsOf("", ["v1:", "v2:"])).toEqual([]);
    expect(problemsOf("", ["v1", "v10:"])).toEqual([expect.stringContaining('"v10:" lies inside "v1"')]);
    expect(problemsOf(", from: a, to: ab", ["v1:", "v2:"])).toEqual([expect.stringContaining("lies inside")]);
    expect(problemsOf(', purge: ["home", "v2:home"]', ["v1:", "v2:"])).toEqual([expect.stringContaining('"v2:home"')]);
  });
});
