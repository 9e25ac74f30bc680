import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../host/system-clock.ts";
import { json, misbehave, type Seen, suiteFakes } from "../../../../test/integration/metrics/fake-server.ts";
import { epochMs } from "../../../core/unit.ts";
import { type MetricWorld, metricConformance } from "../../../testing/metric-suite.ts";
import { cloudwatch, environmentCredentials } from "./index.ts";

const NOW = epochMs(1_800_000_000_000);
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const ENV = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: SECRET, AWS_SESSION_TOKEN: "s3ssion-token" };
const REGION = "eu-west-1";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();

/** The signature a request should have, by the recipe of Signature Version 4, written apart from the client's. */
function signatureOf({ method, path, headers, body }: Seen): string {
  const [, scope = "", names = ""] =
    /Credential=AKIDEXAMPLE\/(\S+), ?SignedHeaders=([^,]+)/.exec(headers.authorization ?? "") ?? [];
  const lines = names.split(";").map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = [method, path, "", lines.join(""), names, sha256(body)].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  const [date = "", region = "", service = ""] = scope.split("/");
  const key = hmac(hmac(hmac(hmac(`AWS4${SECRET}`, date), region), service), "aws4_request");
  return createHmac("sha256", key).update(toSign).digest("hex");
}

describe("metrics/cloudwatch on a fake server", () => {
  const fakes = suiteFakes();

  const result = (endMs: number, value: unknown) => ({
    Id: "sluice",
    Label: "errors",
    StatusCode: "Complete",
    Timestamps: [endMs / 1_000 - 60, endMs / 1_000 - 120],
    Values: [value, 99],
  });
  const refuse = (type: string, message: string) => JSON.stringify({ __type: `com.amazonaws#${type}`, message });
  const source = (env: Readonly<Record<string, string>> = ENV) => {
    const credentials = environmentCredentials(env);
    return cloudwatch({ clock: systemClock(), url: fakes.server.url, timeoutMs: 1_000, region: REGION, credentials });
  };

  function world(): MetricWorld {
    return {
      source: source(),
      now: () => NOW,
      secret: SECRET,
      async hold(state) {
        fakes.server.answer((seen, response) => {
          if (state.kind === "denies") response.writeHead(400).end(refuse("UnrecognizedClientException", SECRET));
          else if (misbehave(state.kind, seen, response, fakes.elsewhere.url)) return;
          else if (state.kind === "refuses-query") response.writeHead(400).end(refuse("ValidationError", "bad"));
          else if (state.kind === "missing") json(response, { MetricDataResults: [] });
          else if (state.kind === "number")
            json(response, { MetricDataResults: [result(NOW - state.ageMs, state.value)] });
          else if (state.kind === "two") json(response, { MetricDataResults: [result(NOW, 1), result(NOW, 2)] });
          else json(response, { MetricDataResults: [result(NOW, "NaN")] });
        });
        return "SELECT MAX(Errors) FROM Rag";
      },
    };
  }
  metricConformance(world, it);

  it("signs the body, the time and the session token, and never sends the secret", async () => {
    const { hold } = world();
    const query = await hold({ kind: "number", value: 1, ageMs: 0 });
    await source().read({ query, maxAgeMs: 60_000 }, NOW);
    const seen = fakes.server.seen.at(-1) as Seen;
    expect(seen.headers).toMatchObject({
      "x-amz-target": "GraniteServiceVersion20100801.GetMetricData",
      "content-type": "application/x-amz-json-1.0",
      "x-amz-security-token": "s3ssion-token",
    });
    expect(JSON.parse(seen.body)).toEqual({
      MetricDataQueries: [{ Id: "sluice", Expression: query, Period: 60 }],
      StartTime: 1_799_999_220,
      EndTime: 1_800_000_000,
      ScanBy: "TimestampDescending",
    });
    const { authorization = "" } = seen.headers;
    expect(authorization).toContain(`/${REGION}/monitoring/aws4_request`);
    expect(authorization).toContain(`Signature=${signatureOf(seen)}`);
    expect(JSON.stringify(seen)).not.toContain(SECRET);
  });

  it("calls throttling unreachable, though it comes with status 400", async () => {
    fakes.server.answer((_, response) => response.writeHead(400).end(refuse("ThrottlingException", "Rate exceeded")));
    const reading = source().read({ query: "m1", maxAgeMs: 1 }, NOW);
    await expect(reading).rejects.toMatchObject({ code: "unreachable", retry: "safe" });
  });

  it("asks nothing without keys, and nothing with a list that is none", async () => {
    const count = fakes.server.seen.length;
    const keyless = source({ AWS_ACCESS_KEY_ID: "AKIDEXAMPLE" }).read({ query: "m1", maxAgeMs: 1 }, NOW);
    await expect(keyless).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringContaining("AWS_SECRET_ACCESS_KEY is not set"),
    });
    await expect(source().read({ query: "[1", maxAgeMs: 1 }, NOW)).rejects.toMatchObject({ code: "rejected" });
    expect(fakes.server.seen).toHaveLength(count);
  });

  it("knows the region by the address, and asks for it where the address names none", () => {
    const credentials = environmentCredentials(ENV);
    const open = (url: string) => () => cloudwatch({ clock: systemClock(), url, credentials });
    for (const host of ["monitoring.eu-west-1.amazonaws.com", "monitoring.cn-north-1.amazonaws.com.cn"])
      expect(open(`https://${host}`)).not.toThrow();
    expect(open("https://metrics.example")).toThrow("names no region");
  });
});
