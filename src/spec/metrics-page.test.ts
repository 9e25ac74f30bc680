import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { METRIC_DRIVERS } from "../host/driver-registry.ts";
import { readRollout } from "../../test/known-drivers.ts";
import { isProblems } from "./read-rollout.ts";

const page = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");

describe("the page of metric sources", () => {
  it("has one row a source, with how often it is asked and how old its numbers may be", () => {
    const [, table = ""] = page.split("| --- | --- | --- | --- | --- |\n");
    const rows = table.split("\n").filter((line) => line.startsWith("| `"));
    const told = rows.map((row) => [row.split("`")[1], row.split("|").at(-2)?.trim()]);
    expect(told.toSorted()).toEqual(
      METRIC_DRIVERS.map(({ product, times: { everyMs, maxAgeMs } }) => {
        return [product, `${everyMs / 1_000}s, ${maxAgeMs / 1_000}s`];
      }).toSorted(),
    );
  });

  it("shows metrics that a rollout file may have as they stand", () => {
    const [, example = ""] = /```yaml\n(metrics:[^`]+)```/.exec(page) ?? [];
    const metrics = example.split("\n").map((line) => `  ${line}`);
    const read = readRollout(`apiVersion: sluice/v1
kind: Rollout
metadata: { name: support-rag-7 }
spec:
  service: support-rag
  stable: { url: http://127.0.0.1:4001/answer }
  candidate: { url: http://127.0.0.1:4002/answer }
  route: { driver: gateway, stickyBy: [{ header: x-user-id }], trustedHeaders: [x-user-id] }
${metrics.join("\n")}
  gates:
    - use: default
    - { gate: metric, metric: errors, promote: 3 }
`);
    expect(read).not.toSatisfy(isProblems);
    if (!isProblems(read)) expect(read.document.spec.metrics).toHaveLength(5);
  });
});
