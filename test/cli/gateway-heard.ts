import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Waits until a controller has heard of a gateway; before that it refuses every rollout. */
export async function gatewayHeard(controllerUrl: unknown, dataDir: string): Promise<void> {
  const token = (await readFile(join(dataDir, "token"), "utf8")).trim();
  for (;;) {
    const answer = await fetch(`${String(controllerUrl)}/v1/gateways`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { gateways } = (await answer.json()) as { gateways: { silent_ms: number | null }[] };
    if (typeof gateways[0]?.silent_ms === "number") return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
