import { HEADERS } from "../core/routing/headers.ts";
import type { AskWarm } from "../controller/orders/cache.ts";
import { httpAccess } from "../drivers/access/http/index.ts";
import { readText } from "../ports/bounded-body.ts";
import type { Clock } from "../ports/clock.ts";
import { DriverError } from "../ports/driver-error.ts";
import { requestOf } from "../probe/map.ts";
import { readMap } from "./read-map.ts";

/** Longest time for a whole answer; models are slow when they are cold. */
const ANSWER_WITHIN_MS = 60_000;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** Passages asked for where the plan has no probes that say how many. */
const PASSAGES = 10;

/**
 * Asks arms what their users asked, past the data plane, so that no count of users has it. The answer is read to its
 * end, because services write what they answered into their cache when it is sent.
 */
export function warmAsker(clock: Clock): AskWarm {
  return async ({ arms, probes }, { arm, namespace }, question, signal) => {
    const { answerUrl, url = null, access } = arms[arm];
    const address = answerUrl ?? url;
    if (address === null)
      throw new DriverError("unsupported", "never", `${arm} has no address to ask; give its url in the document`);
    const file = probes?.map ?? null;
    const map = file === null ? null : await readMap(file);
    const asked = { question, k: probes?.k ?? PASSAGES, seed: null };
    const request = requestOf(address, asked, map, false);
    const send = access === undefined ? fetch : httpAccess(access, clock).fetch;
    const until = clock.timeout(ANSWER_WITHIN_MS, signal);
    const response = await send(request.url, {
      method: request.method,
      headers: {
        "content-type": "application/json",
        [HEADERS.warm]: "true",
        [HEADERS.cacheNamespace]: namespace,
      },
      ...(request.body === null ? {} : { body: JSON.stringify(request.body) }),
      redirect: "manual",
      signal: until,
    });
    const { kind } = await readText(response.body, { bytesMax: ANSWER_BYTES_MAX, until });
    if (response.ok && kind === "whole") return;
    const found = response.ok ? `an answer that is ${kind}` : `status ${response.status}`;
    throw new DriverError("rejected", "safe", `${arm}: a warm question got ${found}, expected an answer`);
  };
}
