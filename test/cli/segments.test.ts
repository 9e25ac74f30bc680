import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningSluice, startSluice, temporaryFolder } from "./run-sluice.ts";
import { sluiceInProcess } from "./sluice-in-process.ts";

const USERS = 1_200;
const TENANTS = 12;
const SICK = "tenant-7";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let controller: RunningSluice;
let gateway: RunningSluice;
let gatewayUrl = "";
const servers: Server[] = [];
const inFolder = (name: string) => join(folder.path, name);
const sluice = (...argv: string[]) => sluiceInProcess(...argv, "--data", inFolder("data"));

/** A service that fails the requests of one tenant, or of none. */
async function origin(failing: string | null): Promise<string> {
  const server = createServer((request, response) => {
    const isSick = failing !== null && request.headers["x-tenant"] === failing;
    response.writeHead(isSick ? 500 : 200, { "content-type": "application/json" }).end("{}");
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`;
}

const documentOf = (name: string, stable: string, candidate: string, show: boolean) => `apiVersion: sluice/v1
kind: Rollout
metadata: { name: ${name} }
spec:
  service: desk
  stable: { url: "${stable}", health: null }
  candidate: { url: "${candidate}", health: null }
  route: { driver: gateway, listen: "127.0.0.1:0", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  segments:
    - { name: tenant, header: x-tenant${show ? ", show: true" : ""} }
    - { name: route, path: true, show: true }
    - { name: locale, header: Accept-Language }
  strategy: { canary: { steps: [{ weight: 25, hold: 1h }], watch: 1h } }
  gates:
    - use: default
    # Which gate speaks first is chance; here it shall be the one over segments.
    - { gate: error-rate, within: { from: 50, to: 100 } }
    - { gate: new-error-class, within: { from: 50, to: 100 } }
`;

async function round(): Promise<void> {
  const ask = async (user: number) => {
    const headers = {
      "x-user-id": `u${user}`,
      "x-tenant": `tenant-${user % TENANTS}`,
      "accept-language": ["de-DE,de;q=0.9", "en"][user % 2] ?? "en",
    };
    await fetch(`${gatewayUrl}/v1/answer/${user}`, { headers }).then((one) => one.text());
  };
  for (let first = 0; first < USERS; first += 50)
    await Promise.all(Array.from({ length: 50 }, (_, at) => ask(first + at)));
}

interface Status {
  readonly phase: string;
  readonly held_ms: number;
  readonly cause: { gate: string; text: string; verdict: { segment?: string; reason: string } } | null;
}
const statusOf = async (name: string) => JSON.parse((await sluice("status", name, "--json")).stdout) as Status;

async function drive(name: string, isThere: (status: Status) => boolean, rounds: number): Promise<Status> {
  for (let at = 0; at < rounds; at++) {
    const status = await statusOf(name);
    if (isThere(status)) return status;
    await round();
  }
  return statusOf(name);
}

beforeAll(async () => {
  folder = await temporaryFolder();
  const urls = [await origin(null), await origin(SICK)] as const;
  await writeFile(inFolder("shown.yaml"), documentOf("shown", ...urls, true));
  await writeFile(inFolder("hashed.yaml"), documentOf("hashed", ...urls, false));
  controller = startSluice(["serve", "--json", "--data", inFolder("data"), "--port", "0"]);
  await controller.ready;
  gateway = startSluice(["gateway", inFolder("shown.yaml"), "--json", "--data", inFolder("data")]);
  gatewayUrl = String((await gateway.ready)["url"]);
}, 60_000);
afterAll(async () => {
  await gateway.stop();
  await controller.stop();
  for (const server of servers) server.close();
  await folder.remove();
}, 60_000);

describe("one tenant's requests fail on the candidate, in a gateway and a controller as they are run", () => {
  it("is stopped, names the tenant, and tells what a known user and tenant are called", {
    timeout: 120_000,
  }, async () => {
    expect(await sluice("apply", inFolder("shown.yaml"))).toMatchObject({ code: 0 });
    const status = await drive("shown", ({ phase }) => phase === "rolled-back", 30);
    expect(status).toMatchObject({
      phase: "rolled-back",
      cause: { verdict: { segment: `tenant=${SICK}` } },
    });
    expect(status.cause?.verdict.reason).toContain(`tenant=${SICK} fails 100.00 % against 0.00 % on stable`);
    const explained = await sluice("explain", "shown");
    expect(explained.stdout + explained.stderr).toContain(`tenant=${SICK}`);

    // Hashed values: the same stop under a name that only who knows the tenant can tell.
    expect(await sluice("apply", inFolder("hashed.yaml"))).toMatchObject({ code: 0 });
    const hashed = await drive("hashed", ({ phase }) => phase === "rolled-back", 30);
    const found = hashed.cause?.verdict.segment ?? "";
    expect(found, JSON.stringify(hashed)).toMatch(/^tenant#[0-9a-f]{8}$/);
    expect(JSON.stringify(hashed)).not.toContain(SICK);
    const tenant = await sluice("unit", SICK, "--rollout", "hashed", "--segment", "tenant");
    expect(tenant.stdout).toContain(`${found}  in rollout hashed, generation 1`);
    expect(tenant.stdout).toContain("fails 100.00 % against 0.00 % on stable");

    const users: { unit: string; arm: string; seen: Seen | null }[] = [];
    const hasFailed = ({ seen }: { seen: Seen | null }) => (seen?.candidate.failures ?? 0) > 0;
    for (let at = 0; at < USERS / TENANTS - 1 && !users.some(hasFailed); at++) {
      const { stdout, stderr } = await sluice("unit", `u${7 + at * TENANTS}`, "--rollout", "hashed", "--json");
      expect(stderr).toBe("");
      users.push(JSON.parse(stdout));
    }
    expect(users.every(({ unit, arm }) => /^u-[0-9a-f]{8}$/.test(unit) && arm === "stable")).toBe(true);
    const failing = users.filter(hasFailed);
    expect(failing.length).toBeGreaterThan(0);
    expect(failing.every(({ seen }) => seen?.stable.failures === 0)).toBe(true);
  });
});

interface Seen {
  readonly stable: { readonly requests: number; readonly failures: number };
  readonly candidate: { readonly requests: number; readonly failures: number };
}
