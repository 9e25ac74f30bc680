import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AccessPlan } from "../../../src/core/stage/access-plan.ts";
import { httpAccess, redactSecrets } from "../../../src/drivers/access/http/index.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import { planAccess, readAccess } from "../../../src/spec/access-schema.ts";
import { temporaryFolder } from "../../cli/run-sluice.ts";

const OPEN: AccessPlan = { headers: {}, authorization: null, tls: null };

function accessOf(document: unknown): AccessPlan {
  const read = readAccess(document);
  if ("access" in read) return planAccess(read.access);
  throw new Error(read.problems.join("; "));
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const servers: Server[] = [];

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function service(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(handle))}/`;
}

/** A service that answers the headers it was sent. */
const echo = () => service((request, response) => response.end(JSON.stringify(request.headers)));
const sent = async (access: ReturnType<typeof httpAccess>, url: string) =>
  (await (await access.fetch(url, { headers: { accept: "text/plain" } })).json()) as Record<string, string>;

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await folder.remove();
});

describe("access to a service over HTTP", () => {
  it("sends headers, bearer and basic, from the environment and from files, beside the request's own", async () => {
    const url = await echo();
    const path = join(folder.path, "token");
    await writeFile(path, "file-token-1\n");
    const env = { RAG_KEY: "env-key-1", TENANT_TOKEN: "t0k3n" };
    const headers = { "x-api-key": "${RAG_KEY}", "x-tenant": "acme", cookie: "session=${TENANT_TOKEN}" };
    const access = httpAccess(accessOf({ headers, bearer: { file: path } }), systemClock(), env);
    expect(await sent(access, url)).toMatchObject({
      accept: "text/plain",
      "x-api-key": "env-key-1",
      "x-tenant": "acme",
      cookie: "session=t0k3n",
      authorization: "Bearer file-token-1",
    });
    await writeFile(path, "file-token-2\n");
    expect((await sent(access, url))["authorization"]).toBe("Bearer file-token-2");
    const basic = httpAccess(accessOf({ basic: { user: "probe", password: "${RAG_KEY}" } }), systemClock(), env);
    expect((await sent(basic, url))["authorization"]).toBe(`Basic ${btoa("probe:env-key-1")}`);
  });

  it("takes every secret it resolved out of a text, in any spelling an answer may give it", async () => {
    const secret = 'can"ary/ä-secret';
    await sent(
      httpAccess(accessOf({ headers: { "x-api-key": "${S}" } }), systemClock(), { S: "can-ary/secret+1" }),
      await echo(),
    );
    for (const spelt of [JSON.stringify, encodeURIComponent, btoa]) {
      expect(redactSecrets(`<${spelt("can-ary/secret+1")}>`)).toContain("***");
      expect(redactSecrets(`<${spelt("can-ary/secret+1")}>`)).not.toMatch(/can-ary|Y2Fu/);
    }
    expect(redactSecrets(secret)).toBe(secret);
  });

  it("names the variable or the file that is missing, never a value", async () => {
    const url = await echo();
    const missing = httpAccess(accessOf({ headers: { "x-api-key": "${NOT_SET}" } }), systemClock(), { OTHER: "v" });
    await expect(missing.fetch(url, {})).rejects.toMatchObject({
      name: "DriverError",
      code: "unauthorized",
      message: expect.stringContaining("access.headers.x-api-key: the variable NOT_SET is not set"),
    });
    const unreadable = httpAccess(accessOf({ bearer: { file: "/nowhere/token" } }), systemClock(), {});
    await expect(unreadable.fetch(url, {})).rejects.toThrow("access.bearer: the file /nowhere/token cannot be read");
    const broken = httpAccess(accessOf({ bearer: "${TWO_LINES}" }), systemClock(), { TWO_LINES: "secret-a\nsecret-b" });
    await expect(broken.fetch(url, {})).rejects.toThrow(/^access.bearer has characters that no header may carry/);
  });

  it("gets an OAuth token once, keeps it while it lives, and asks again after a 401", async () => {
    let given = 0;
    let isRevoked = false;
    const tokenUrl = await service((request, response) => {
      const pair = atob(request.headers.authorization?.replace("Basic ", "") ?? "");
      const isKnown = decodeURIComponent(pair) === "sluice:client-secret-1";
      const body = isKnown
        ? { access_token: `access-token-${++given}`, token_type: "Bearer", expires_in: 300 }
        : { error: "invalid_client", error_description: "no client-secret-9 here" };
      response.writeHead(isKnown ? 200 : 401, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    const url = await service((request, response) => {
      response.writeHead(isRevoked ? 401 : 200).end(JSON.stringify(request.headers));
      isRevoked = false;
    });
    const plan = accessOf({ oauth: { tokenUrl, clientId: "sluice", clientSecret: "${CLIENT}", scope: "rag.read" } });
    const access = httpAccess(plan, systemClock(), { CLIENT: "client-secret-1" });
    const both = await Promise.all([sent(access, url), sent(access, url)]);
    expect([...both, await sent(access, url)].map(({ authorization }) => authorization)).toEqual(
      Array(3).fill("Bearer access-token-1"),
    );
    isRevoked = true;
    await access.fetch(url, {});
    expect((await sent(access, url))["authorization"]).toBe("Bearer access-token-2");
    const refused = httpAccess(plan, systemClock(), { CLIENT: "client-secret-9" });
    const error = await refused.fetch(url, {}).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: "unauthorized",
      message: expect.stringContaining("gave no token (invalid_client"),
    });
    expect((error as Error).message).not.toContain("client-secret-9");
  });

  it("shows a client certificate to a service that asks for one, and trusts the authority it was given", async () => {
    const pem = (name: string) => join(folder.path, `${name}.pem`);
    const openssl = (...argv: readonly string[]) => execFileSync("openssl", argv, { stdio: "pipe" });
    for (const [name, subject] of [
      ["server", "/CN=127.0.0.1"],
      ["client", "/CN=sluice"],
    ] as const) {
      const names = ["-addext", "subjectAltName=IP:127.0.0.1"];
      const keys = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", pem(`${name}-key`)];
      openssl("req", "-x509", ...keys, "-out", pem(name), "-days", "2", "-subj", subject, ...names);
    }
    const own = { key: readFileSync(pem("server-key")), cert: readFileSync(pem("server")) };
    const asks = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(pem("client")) };
    const port = await listen(createSecureServer({ ...own, ...asks }, (_, response) => response.end('{"ok":"yes"}')));
    const url = `https://127.0.0.1:${port}/`;
    const tls = { ca: pem("server"), cert: pem("client"), key: pem("client-key") };
    expect(await sent(httpAccess({ ...OPEN, tls }, systemClock()), url)).toEqual({ ok: "yes" });
    await expect(
      httpAccess({ ...OPEN, tls: { ...tls, cert: null, key: null } }, systemClock()).fetch(url, {}),
    ).rejects.toThrow();
    await expect(httpAccess(OPEN, systemClock()).fetch(url, {})).rejects.toThrow();
    await rm(pem("client"));
    await expect(httpAccess({ ...OPEN, tls }, systemClock()).fetch(url, {})).rejects.toThrow("access.tls.cert:");
  });
});
