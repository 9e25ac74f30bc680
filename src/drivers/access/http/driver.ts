import { readFile } from "node:fs/promises";
import { Agent, fetch as fetchThrough } from "undici";
import type { AccessPlan } from "../../../core/stage/access-plan.ts";
import type { Access } from "../../../ports/access.ts";
import type { Clock } from "../../../ports/clock.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { OauthTokens } from "./oauth.ts";
import { type Environment, resolveSecret } from "./resolve.ts";
import { keepSecret, redactSecrets } from "../../secrets.ts";

type Fetch = Access["fetch"];

/**
 * Opens a plan's access: reads no secret yet. Every request resolves them anew, so that rotated ones are taken up; only
 * an OAuth token is kept while it lives, and asked for again after a 401.
 */
export function httpAccess(plan: AccessPlan, clock: Clock, env: Environment = process.env): Access {
  const { headers, authorization } = plan;
  const send = connection(plan);
  const tokens = authorization?.kind === "oauth" ? new OauthTokens(authorization, { fetch: send, clock, env }) : null;
  const names = [...Object.keys(headers), ...(authorization === null ? [] : ["authorization"])];
  return {
    headerNames: names.map((name) => name.toLowerCase()),
    redact: redactSecrets,
    async fetch(url, init) {
      const sent = new Headers(init.headers);
      for (const [name, secret] of Object.entries(headers)) {
        sent.set(name, await resolveSecret(secret, `access.headers.${name}`, env));
      }
      const value = await authorizationOf(plan, tokens, env);
      if (value !== null) sent.set("authorization", value);
      const response = await send(url, { ...init, headers: Object.fromEntries(sent) });
      if (response.status === 401) tokens?.forget();
      return response;
    },
  };
}

async function authorizationOf(
  { authorization }: AccessPlan,
  tokens: OauthTokens | null,
  env: Environment,
): Promise<string | null> {
  switch (authorization?.kind) {
    case undefined:
      return null;
    case "bearer":
      return `Bearer ${await resolveSecret(authorization.token, "access.bearer", env)}`;
    case "basic": {
      const password = await resolveSecret(authorization.password, "access.basic.password", env);
      const pair = Buffer.from(`${authorization.user}:${password}`, "utf8").toString("base64");
      keepSecret(pair);
      return `Basic ${pair}`;
    }
    case "oauth":
      return `Bearer ${await tokens?.token()}`;
  }
}

/** The runtime's fetch, or one with the plan's certificates, which are read with the first request. */
function connection({ tls }: AccessPlan): Fetch {
  if (tls === null) return (url, init) => fetch(url, init);
  let agent: Promise<Agent> | null = null;
  return async (url, init) => {
    agent ??= openAgent(tls);
    const dispatcher = await agent.catch((error: unknown) => {
      agent = null; // A file that is mounted later is read then.
      throw error;
    });
    return (await fetchThrough(url, { ...init, dispatcher } as never)) as unknown as Response;
  };
}

async function openAgent(tls: NonNullable<AccessPlan["tls"]>): Promise<Agent> {
  const read = async (name: "ca" | "cert" | "key"): Promise<Record<string, string>> => {
    const path = tls[name];
    if (path === null) return {};
    try {
      return { [name]: await readFile(path, "utf8") };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new DriverError("unauthorized", "never", `access.tls.${name}: ${path} cannot be read (${code}); mount it`);
    }
  };
  const [ca, cert, key] = await Promise.all([read("ca"), read("cert"), read("key")]);
  return new Agent({ connect: { ...ca, ...cert, ...key } });
}
