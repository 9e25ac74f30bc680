import { AwsV4Signer } from "aws4fetch";
import type { EpochMs } from "../../../core/unit.ts";
import { DriverError } from "../../../ports/driver-error.ts";

/** Long-lived keys, or those of a role with their session token. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * The keys of an environment, asked for with every request so that rotated ones are taken up.
 * @throws DriverError `unauthorized` when they are missing; names the variable, never a value
 * @source AWS SDKs and Tools Reference Guide, "Environment variables"
 */
export function environmentCredentials(env: Readonly<Record<string, string | undefined>>): () => AwsCredentials {
  const needed = (name: string): string => {
    const value = env[name]?.trim() ?? "";
    if (value !== "") return value;
    const advice = "set it in the environment of `sluice serve`";
    throw new DriverError("unauthorized", "never", `metrics/cloudwatch: the variable ${name} is not set; ${advice}`);
  };
  return () => {
    const keys = { accessKeyId: needed("AWS_ACCESS_KEY_ID"), secretAccessKey: needed("AWS_SECRET_ACCESS_KEY") };
    const sessionToken = env["AWS_SESSION_TOKEN"]?.trim() ?? "";
    return sessionToken === "" ? keys : { ...keys, sessionToken };
  };
}

/** `20260101T000000Z`, as Signature Version 4 writes the time of a request. */
const amzDate = (now: EpochMs) => new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");

/** A fetch that signs what it sends. @source AWS Signature Version 4, service `monitoring` */
export function signedFetch(
  send: typeof fetch,
  region: string,
  keys: () => AwsCredentials,
  now: () => EpochMs,
): typeof fetch {
  return async (to, init = {}) => {
    const { method = "POST" } = init;
    const what = { url: String(to), method, headers: new Headers(init.headers), body: init.body ?? null };
    const datetime = amzDate(now());
    const signer = new AwsV4Signer({ ...what, ...keys(), region, service: "monitoring", datetime, allHeaders: false });
    const signed = await signer.sign();
    return send(signed.url, { ...init, method, headers: signed.headers });
  };
}
