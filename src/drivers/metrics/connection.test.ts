import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeServer, startFake } from "../../../test/integration/metrics/fake-server.ts";
import { systemClock } from "../../host/system-clock.ts";
import { DriverError } from "../../ports/driver-error.ts";
import { type ConnectionConfig, connect } from "./connection.ts";
import { tokenFile } from "./token.ts";

const SECRET = "t0p-secret-token";

const NO_WORDS = { detailOf: () => "" };

describe("the connection to a metric server", () => {
  let server: FakeServer;
  let folder = "";
  beforeAll(async () => {
    server = await startFake();
    folder = mkdtempSync(join(tmpdir(), "metric-token-"));
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const ask = (config: Partial<ConnectionConfig> = {}) =>
    connect("metrics/test", { url: `${server.url}/a?key=hidden`, clock: systemClock(), ...config }, "", NO_WORDS).read(
      (send) => send({}),
    );
  async function failure(config: Partial<ConnectionConfig> = {}): Promise<DriverError> {
    const error = await ask(config).then(
      (body) => new Error(`answered ${body}`),
      (thrown: unknown) => thrown,
    );
    if (error instanceof DriverError) return error;
    throw error;
  }
  const answerStatus = (status: number, headers: Record<string, string> = {}) =>
    server.answer((_, response) => response.writeHead(status, headers).end("x"));

  it.each([
    [401, "unauthorized never"],
    [403, "unauthorized never"],
    [400, "rejected never"],
    [404, "rejected never"],
    [422, "rejected never"],
    [429, "unreachable safe"],
    [500, "unreachable safe"],
    [502, "unreachable safe"],
    [503, "unreachable safe"],
    [204, "rejected never"],
    [206, "rejected never"],
    [304, "rejected never"],
  ])(
    "takes nothing but 200 for an answer: %i is %s, and names place and status without the query",
    async (status, is) => {
      answerStatus(status);
      const { code, retry, message } = await failure();
      expect(`${code} ${retry}`).toBe(is);
      expect(message).toContain(`metrics/test: ${server.url}/a answered ${status}`);
      expect(message).not.toContain("hidden");
    },
  );

  it("names the origin a redirect leads to, not its path, and says what to do", async () => {
    answerStatus(302, { location: "https://other.example/login?token=x" });
    expect((await failure()).message).toMatch(/a redirect to https:\/\/other\.example; .*give the final address$/);
    answerStatus(301, { location: "/b" });
    expect((await failure()).message).toContain(`a redirect to ${server.url};`);
    answerStatus(301);
    expect((await failure()).code).toBe("rejected");
  });

  it("says unreachable, with the cause, when nothing listens and when a body breaks off", async () => {
    const gone = await startFake();
    await gone.stop();
    const { code, retry, message } = await failure({ url: gone.url });
    expect([code, retry, message]).toEqual(["unreachable", "safe", expect.stringContaining("ECONNREFUSED")]);
    server.answer((_, response) => {
      response.writeHead(200, { "content-length": "10" }).write("half");
      setTimeout(() => response.destroy(), 20);
    });
    expect(await failure()).toMatchObject({ code: "unreachable", retry: "safe" });
  });

  it("times out over the whole reading: a slow body, and a token that never comes", async () => {
    server.answer((_, response) => void response.writeHead(200).write("half"));
    expect(await failure({ timeoutMs: 50 })).toMatchObject({ code: "timeout", retry: "safe" });
    expect(await failure({ timeoutMs: 50, token: () => new Promise(() => {}) })).toMatchObject({ code: "timeout" });
  });

  it("reads answerBytesMax bytes and not one more, whatever the packing hides", async () => {
    server.answer((_, response) => response.writeHead(200).end("x".repeat(100)));
    expect(await ask({ answerBytesMax: 100 })).toHaveLength(100);
    expect(await failure({ answerBytesMax: 99 })).toMatchObject({ code: "rejected", retry: "never" });
    const { gzipSync } = await import("node:zlib");
    const packed = gzipSync("x".repeat(1_000_000));
    server.answer((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(packed));
    expect(packed.length).toBeLessThan(100_000);
    expect(await failure({ answerBytesMax: 100_000 })).toMatchObject({ code: "rejected", retry: "never" });
  });

  it("reads the token before every request, so that a rotated file is taken up", async () => {
    const file = join(folder, "token");
    server.answer(({ headers }, response) => response.writeHead(200).end(headers.authorization));
    for (const word of ["first", "second"]) {
      writeFileSync(file, `${word}\n`);
      expect(await ask({ token: tokenFile(file) })).toBe(`Bearer ${word}`);
    }
  });

  it.each([
    ["a line break inside", () => `${SECRET}\nx-other: 1`, "has characters that no header may carry"],
    ["letters beyond ASCII", () => `${SECRET}é`, "has characters that no header may carry"],
    ["an empty one", () => "", "is empty"],
    ["a function that fails", () => Promise.reject(new RangeError(SECRET)), "the token function failed (RangeError)"],
    ["a missing file", tokenFile("missing/token"), "the token file missing/token cannot be read (ENOENT)"],
  ])("sends nothing with %s as token and never shows it", async (_, token, reason) => {
    const count = server.seen.length;
    const { code, retry, message, cause } = await failure({ token });
    expect([code, retry, message]).toEqual(["unauthorized", "never", expect.stringContaining(reason)]);
    expect(`${message} ${cause}`).not.toContain(SECRET);
    expect(server.seen).toHaveLength(count);
  });

  it.each(["ftp://a", "prometheus:9090", "", `http://user:${SECRET}@a`])("refuses an address it cannot use", (url) => {
    const open = () => connect("metrics/test", { url, clock: systemClock() }, "", NO_WORDS);
    expect(open).toThrow(/^invariant: metrics\/test: url (is not an http|carries a password)/);
    expect(open).not.toThrow(SECRET);
  });

  it("shows what the server says of a refusal, cut at 300 characters", async () => {
    answerStatus(400);
    const place = connect("metrics/test", { url: server.url, clock: systemClock() }, "", {
      detailOf: () => "y".repeat(1_000),
    });
    await expect(place.read((send) => send({}))).rejects.toThrow(`(${"y".repeat(300)})`);
  });
});
