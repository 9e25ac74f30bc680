import type { Access } from "../../../ports/access.ts";
import type { AccessPlan } from "../../../core/stage/access-plan.ts";
import { readText } from "../../../ports/bounded-body.ts";
import type { Clock } from "../../../ports/clock.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { HealthManner, HealthReader } from "../../../ports/health.ts";
import { observed } from "./answer.ts";

const TIMEOUT_MS = 2_000;
const ANSWER_BYTES_MAX = 65_536;

type Fetch = Access["fetch"];

interface HealthConfig {
  /** Default: the runtime's own. */
  readonly fetch?: Fetch;
  /** Opens the access of an endpoint that asks for credentials. */
  readonly access?: (plan: AccessPlan) => Access;
}

const redactNothing = (text: string): string => text;

/** Reads manifests over HTTP. Redirects are not followed: a health address is exact. */
export function httpHealth(clock: Clock, config: HealthConfig = {}): HealthReader {
  const opened = new Map<AccessPlan, Access>();
  const open = ({ access }: HealthManner): Access | null => {
    if (access === undefined || config.access === undefined) return null;
    const kept = opened.get(access) ?? config.access(access);
    if (opened.size > OPENED_MAX) opened.clear();
    opened.set(access, kept);
    return kept;
  };
  return {
    async read(healthUrl, signal, manner = {}) {
      const access = open(manner);
      const redact = (text: string) => (access === null ? redactNothing(text) : access.redact(text));
      const send: Fetch = access === null ? (config.fetch ?? fetch) : (url, init) => access.fetch(url, init);
      try {
        const limit = clock.timeout(TIMEOUT_MS, signal);
        const headers = { accept: "application/json" };
        const response = await send(healthUrl, { signal: limit, redirect: "error", headers });
        const { kind, text: body } = await readText(response.body, { bytesMax: ANSWER_BYTES_MAX, until: limit });
        if (kind !== "whole" && response.status === 200) {
          const found = kind === "late" ? `did not end within ${TIMEOUT_MS} ms` : `has over ${ANSWER_BYTES_MAX} bytes`;
          return { kind: "unreadable", reason: `the health answer ${found}` };
        }
        const answer = observed(response.status, body, manner.healthMap ?? null);
        return answer.kind === "read" ? answer : { ...answer, reason: redact(answer.reason) };
      } catch (error) {
        if (error instanceof DriverError) return { kind: "unreadable", reason: redact(error.message), unasked: true };
        const { cause, message } = error as Error & { cause?: { code?: string } };
        return { kind: "unreadable", reason: redact(`no answer (${cause?.code ?? message})`) };
      }
    },
  };
}

/** Plans whose access is kept open; a controller has two a rollout. */
const OPENED_MAX = 256;
