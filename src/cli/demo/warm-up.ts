/** Requests a new release answers before users meet it, so that nobody pays for its cold start (CW-2, CW-3). */
export const WARM_REQUESTS = 200;
const AT_ONCE = 20;

/** Sends warm requests straight to a service. What it answers does not matter; that it answers does. */
export const warmUp = (answerUrl: string): Promise<void> =>
  askWarm(answerUrl, { requests: WARM_REQUESTS, atOnce: AT_ONCE });

/** Sends warm requests, some of them at a time. */
export async function askWarm(
  answerUrl: string,
  { requests, atOnce }: { readonly requests: number; readonly atOnce: number },
): Promise<void> {
  const one = async (index: number): Promise<void> => {
    const headers = { "content-type": "application/json", "x-warm": "true" };
    const body = JSON.stringify({ question: `warm request ${index}`, k: 10, seed: null, probe: false });
    const response = await fetch(answerUrl, { method: "POST", headers, body }).catch(() => null);
    await response?.arrayBuffer().catch(() => null); // A planted fault may cut the body; that is what it is for.
  };
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < requests) await one(sent++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, requests) }, worker));
}
