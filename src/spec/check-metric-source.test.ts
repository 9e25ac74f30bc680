import { describe, expect, it } from "vitest";
import { checkMetricSource } from "./check-metric-source.ts";
import { KNOWN_DRIVERS, METRIC_DRIVERS } from "../host/driver-registry.ts";

type Metric = Parameters<typeof checkMetricSource>[0];

function problems(metric: Partial<Metric>): readonly string[] {
  const whole = {
    name: "errors",
    url: "http://127.0.0.1:1",
    candidate: "q",
    source: "prometheus",
    ...metric,
  } as Metric;
  const found = checkMetricSource(whole, KNOWN_DRIVERS, ["metrics", 0], (path, code, message) => {
    return { code, path: path.join("."), at: { line: 1, column: 1 }, message } as never;
  });
  return found.map(({ message }) => message);
}

describe("what a metric source needs beside its query", () => {
  it("is both keys of Datadog, however their headers are spelt", () => {
    expect(problems({ source: "datadog" })).toEqual([
      "datadog asks for the header DD-API-KEY, and access.headers has none",
      "datadog asks for the header DD-APPLICATION-KEY, and access.headers has none",
    ]);
    const headers = { "dd-api-key": { file: "/a" }, "Dd-Application-Key": { file: "/b" } };
    expect(problems({ source: "datadog", access: { headers } })).toEqual([]);
  });

  it("is a region in the address of CloudWatch, and no credentials but AWS keys", () => {
    const url = "https://vpce-1.monitoring.us-gov-west-1.vpce.amazonaws.com";
    expect(problems({ source: "cloudwatch", url })).toEqual([]);
    expect(problems({ source: "cloudwatch" })).toEqual([expect.stringContaining("names no region")]);
    expect(problems({ source: "cloudwatch", url, tokenFile: "/t" })).toEqual([expect.stringContaining("AWS keys")]);
  });

  it("is a key and an account of New Relic, written as a number in its address", () => {
    const access = { headers: { "api-key": { file: "/a" } } };
    expect(problems({ source: "newrelic" })).toEqual([
      "newrelic asks for the header API-Key, and access.headers has none",
      expect.stringContaining("names no account"),
    ]);
    expect(problems({ source: "newrelic", access, url: "https://api.newrelic.com?account=12" })).toEqual([]);
    for (const account of ["", "0", "-3", "1.5", "twelve", "12%20"])
      expect(problems({ source: "newrelic", access, url: `https://x.test?account=${account}` })).toHaveLength(1);
  });

  it("is nothing more for the others", () => {
    const needy = ["datadog", "cloudwatch", "newrelic"];
    const others = METRIC_DRIVERS.map(({ product }) => product).filter((source) => !needy.includes(source));
    expect(others.length).toBeGreaterThan(6);
    for (const source of others) expect(problems({ source, candidate: "/q" })).toEqual([]);
  });

  it("leaves hosted sources the time they are late by", () => {
    const hosted = METRIC_DRIVERS.filter(({ times }) => times.lateMs > 0);
    expect(hosted.map(({ product }) => product)).toEqual(["datadog", "cloudwatch", "newrelic", "graphite"]);
    for (const { times } of hosted) {
      const { everyMs, maxAgeMs, lateMs } = times;
      expect(maxAgeMs).toBeGreaterThanOrEqual(lateMs + everyMs);
    }
  });
});
