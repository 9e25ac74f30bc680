import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nodeWebhookTransport, type WebhookTransportOptions } from "../../../src/drivers/webhook/node/index.ts";
import { freePort } from "../../free-port.ts";
import { aPost, openPartner, type Partner } from "./partner.ts";

interface Row {
  readonly url: string;
  readonly why: string;
  /** What the reason must hold, so that no row is refused for another reason than its own. */
  readonly says: string;
  /** Answer of the resolver; without it the resolver must not be asked. */
  readonly dns?: readonly string[];
}

const TABLE = new URL("../../vectors/webhook-addresses.v1.json", import.meta.url);
const { rows } = JSON.parse(readFileSync(TABLE, "utf8")) as { readonly rows: readonly Row[] };

let ipv4: Partner;
let ipv6: Partner;
/** Every TCP connect of this process, TLS included; one to anywhere but this machine fails here and never leaves it. */
let attempts: string[] = [];

beforeEach(async () => {
  const port = await freePort();
  ipv4 = await openPartner({ host: "127.0.0.1", port });
  ipv6 = await openPartner({ host: "::1", port });
  attempts = [];
  const connect = Socket.prototype.connect;
  vi.spyOn(Socket.prototype, "connect").mockImplementation(function (this: Socket, ...args: unknown[]): Socket {
    const [first] = args.flat() as { host?: string; port?: number }[];
    attempts.push(`${first?.host}:${first?.port}`);
    if (first?.host === "127.0.0.1" || first?.host === "::1") return Reflect.apply(connect, this, args);
    return this.destroy(new Error("the test lets nothing leave this machine"));
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all([ipv4.close(), ipv6.close()]);
});

/** Posts one row; null when it was blocked for its reason, without a lookup that the row does not name. */
async function postRow(row: Row, options: WebhookTransportOptions): Promise<string | null> {
  let lookups = 0;
  const resolve = async (): Promise<readonly string[]> => {
    lookups += 1;
    return row.dns ?? ["127.0.0.1"];
  };
  const ports = [443, 8443, ipv4.port];
  const url = row.url.replace("{port}", String(ipv4.port));
  const answer = await nodeWebhookTransport({ ports, resolve, ...options }).post(aPost(url));
  const isRight = answer.kind === "blocked" && answer.reason.includes(row.says);
  if (isRight && lookups === (row.dns === undefined ? 0 : 1)) return null;
  return `${row.url} (${row.why}): ${JSON.stringify(answer)}, ${lookups} lookups, expected "${row.says}"`;
}

async function problemsOf(table: readonly Row[], options: WebhookTransportOptions): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const row of table) {
    const problem = await postRow(row, options);
    if (problem !== null) problems.push(problem);
  }
  return problems;
}

const connects = () => ({ attempts, ipv4: ipv4.connections(), ipv6: ipv6.connections() });
const NONE = { attempts: [], ipv4: 0, ipv6: 0 };

describe("webhook addresses", () => {
  it("has at least 300 rows, no two alike", () => {
    expect(rows.length).toBeGreaterThanOrEqual(300);
    expect(new Set(rows.map(({ url }) => url)).size).toBe(rows.length);
  });

  it("S5: 300-row SSRF address table: 0 connects", async () => {
    expect(await problemsOf(rows, {})).toEqual([]);
    expect(connects()).toEqual(NONE);
  });

  it("S5: the same rows with plain HTTP allowed, as far as the scheme is not their point, and over http: 0 connects", async () => {
    const others = rows.filter(({ says }) => !says.startsWith("scheme "));
    const plain = others
      .filter(({ url }) => url.startsWith("https://") && url.includes("{port}"))
      .map((row) => ({ ...row, url: row.url.replace("https:", "http:") }));
    expect(plain.length).toBeGreaterThanOrEqual(300);
    expect(await problemsOf([...others, ...plain], { allowHttp: true })).toEqual([]);
    expect(connects()).toEqual(NONE);
  });

  it("S5: the same rows beside an allowed partner at 10.77.0.0/16: 0 connects", async () => {
    expect(await problemsOf(rows, { allowAddresses: ["10.77.0.0/16"] })).toEqual([]);
    expect(connects()).toEqual(NONE);
  });

  it("(control) the hook, the listeners and the port see a connect when one is allowed, over IPv4, IPv6 and by name", async () => {
    const { port } = ipv4;
    const allowAddresses = ["127.0.0.1/32", "::1/128"];
    const resolve = async () => ["127.0.0.1"];
    const transport = nodeWebhookTransport({ allowHttp: true, ports: [port], allowAddresses, resolve });
    for (const host of ["127.0.0.1", "[::1]", "0x7f.1", "[::0:1]"]) {
      const answer = await transport.post(aPost(`http://${host}:${port}/`));
      expect(answer).toEqual({ kind: "answered", status: 204, retryAfter: null });
    }
    const hosts = ["127.0.0.1", "::1", "127.0.0.1", "::1"];
    expect(connects()).toEqual({ attempts: hosts.map((host) => `${host}:${port}`), ipv4: 2, ipv6: 2 });
  });

  it("(control) a public address passes the check and is tried: only the test keeps it from leaving", async () => {
    const resolve = async () => ["93.184.216.34"];
    const answer = await nodeWebhookTransport({ resolve }).post(aPost("https://1.1.1.1/"));
    expect(answer).toEqual({ kind: "unreachable", reason: expect.stringContaining("lets nothing leave") });
    const named = await nodeWebhookTransport({ resolve }).post(aPost("https://hooks.example.com/"));
    expect(named).toEqual({ kind: "unreachable", reason: expect.stringContaining("lets nothing leave") });
    expect(attempts).toEqual(["1.1.1.1:443", "hooks.example.com:443"]);
  });
});
