import * as oauth from "oauth4webapi";
import type { AuthorizationPlan } from "../../../core/stage/access-plan.ts";
import type { Clock } from "../../../ports/clock.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { type Environment, resolveSecret } from "./resolve.ts";
import { formEncoded, keepSecret, redactSecrets } from "../../secrets.ts";

type OauthPlan = Extract<AuthorizationPlan, { kind: "oauth" }>;
interface OauthTools {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
  readonly env: Environment;
}

/** A token is not used in its last seconds: it would end on the way. */
const SPARE_MS = 30_000;
/** Life of a token whose server does not say how long it lives. */
const LIFE_UNKNOWN_MS = 60_000;
const TIMEOUT_MS = 10_000;

/** Access tokens by client credentials, kept while they live and asked for once at a time. */
export class OauthTokens {
  readonly #plan: OauthPlan;
  readonly #tools: OauthTools;
  #kept: { readonly token: Promise<string>; endsAtMs: number } | null = null;

  constructor(plan: OauthPlan, tools: OauthTools) {
    this.#plan = plan;
    this.#tools = tools;
  }

  /** Rejects with DriverError `unauthorized` when the token server refuses, `unreachable` when it cannot be asked. */
  token(): Promise<string> {
    if (this.#kept !== null && this.#tools.clock.monoMs() < this.#kept.endsAtMs) return this.#kept.token;
    const kept = {
      token: this.#ask().then(({ token, lifeMs }) => {
        kept.endsAtMs = this.#tools.clock.monoMs() + lifeMs;
        return token;
      }),
      endsAtMs: Number.POSITIVE_INFINITY,
    };
    this.#kept = kept;
    kept.token.catch(() => this.forget()); // The next request asks again.
    return kept.token;
  }

  /** The service refused the token: the next one is a fresh one. */
  forget(): void {
    this.#kept = null;
  }

  async #ask(): Promise<{ token: string; lifeMs: number }> {
    const { tokenUrl, clientId, clientSecret, scope, audience } = this.#plan;
    const secret = await resolveSecret(clientSecret, "access.oauth.clientSecret", this.#tools.env);
    keepSecret(Buffer.from(`${formEncoded(clientId)}:${formEncoded(secret)}`, "utf8").toString("base64"));
    const server = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl };
    const parameters = new URLSearchParams();
    if (scope !== null) parameters.set("scope", scope);
    if (audience !== null) parameters.set("audience", audience);
    const options = {
      [oauth.allowInsecureRequests]: tokenUrl.startsWith("http:"), // The document's own choice, as for the arms.
      [oauth.customFetch]: this.#tools.fetch as never,
      signal: () => this.#tools.clock.timeout(TIMEOUT_MS),
    };
    try {
      const client = { client_id: clientId };
      const authentication = oauth.ClientSecretBasic(secret);
      const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, options);
      const { access_token: token, expires_in: lifeS } = await oauth.processClientCredentialsResponse(
        server,
        client,
        response,
      );
      keepSecret(token);
      const lifeMs = lifeS === undefined ? LIFE_UNKNOWN_MS : Math.max(0, lifeS * 1_000 - SPARE_MS);
      return { token, lifeMs };
    } catch (error) {
      throw refusal(tokenUrl, error);
    }
  }
}

function refusal(tokenUrl: string, error: unknown): DriverError {
  const { origin, pathname } = new URL(tokenUrl);
  const place = `access.oauth: ${origin}${pathname}`;
  if (error instanceof DriverError) return error;
  if (error instanceof oauth.ResponseBodyError) {
    const what = redactSecrets(
      `${error.error}${error.error_description === undefined ? "" : `: ${error.error_description}`}`,
    );
    return new DriverError(
      "unauthorized",
      "never",
      `${place} gave no token (${what}); check client id, secret and scope`,
    );
  }
  const { cause, message } = error as Error & { cause?: { code?: string } };
  const why = redactSecrets(typeof cause?.code === "string" ? cause.code : message);
  return new DriverError("unreachable", "safe", `${place} gave no token (${why}); check the address`);
}
