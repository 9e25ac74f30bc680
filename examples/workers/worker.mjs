/**
 * A worker that acts on effects only while its release may, with `sluice/grant`.
 *
 *     SLUICE_TOKEN=... node worker.mjs --controller http://127.0.0.1:4400 --service support-rag --release r8
 *
 * Five lines of JSON a second on standard output say whether it acts. Ends by SIGTERM or SIGINT.
 */
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { Grant } from "sluice/grant";

const text = { type: "string" };
const options = { controller: text, service: text, release: text, role: { type: "string", default: "producer" } };
const { controller, service, release, role } = parseArgs({ options }).values;
const over = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => over.abort());
const grant = new Grant({ controller, service, release, role, token: () => process.env.SLUICE_TOKEN });

while (!over.signal.aborted) {
  // Yours: send a webhook, write a row. Give the token along; what it changes refuses a lower one.
  const acted = await grant.act(async (token) => token);
  const told = acted.kind === "acted" ? { acts: true, token: acted.value } : { acts: false, token: null };
  console.log(JSON.stringify({ release, ...told, reason: grant.reason }));
  await sleep(200, undefined, { signal: over.signal }).catch(() => {});
}
await grant.stop();
