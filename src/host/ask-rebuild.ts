import { DriverError } from "../ports/driver-error.ts";

/** Asks with POST that a region builds its index again. Its answer is no proof: its health is. */
export async function askRebuild(url: string, signal: AbortSignal): Promise<void> {
  let status: number;
  try {
    const response = await fetch(url, { method: "POST", redirect: "error", signal });
    await response.body?.cancel();
    status = response.status;
  } catch (error) {
    if (signal.aborted) throw error;
    throw new DriverError("unreachable", "safe", `${url} could not be asked to rebuild; is it running?`, error);
  }
  if (status < 200 || status > 299) {
    const retry = status >= 500 ? "safe" : "never";
    throw new DriverError("rejected", retry, `${url} answered ${status} to a rebuild, expected 2xx`);
  }
}
