import { createServer, type Server } from "node:http";
import type { Fault } from "../../core/drill/fault.ts";
import { readText } from "../../ports/bounded-body.ts";
import type { Breakable } from "./leased-agent.ts";

const BODY_MAX_BYTES = 65_536;
const WRONG = "skewed-by-a-drill";

/** A region's health and rebuild endpoints with an index that can be wrong. */
export interface IndexDouble extends Breakable {
  readonly server: Server;
}

/**
 * Stands before a region's health: GET answers what the region states, with one field of its index wrong while it is
 * skewed. POST is passed on, as a wish to build the index again, and once the region took it nothing is wrong any more.
 * @param origin of the region, such as `http://127.0.0.1:4001`
 * @param onRebuilt is told that whatever was in force is over
 */
export function indexDouble(origin: string, onRebuilt: () => void): IndexDouble {
  let field: string | null = null;
  const server = createServer((request, response) => {
    request.resume();
    const method = request.method === "POST" ? "POST" : "GET";
    fetch(new URL(request.url ?? "/", origin), { method, redirect: "error" })
      .then(async ({ ok, status, body }) => {
        const { text } = await readText(body, { bytesMax: BODY_MAX_BYTES, until: null });
        if (ok && method === "POST") onRebuilt();
        response.writeHead(status, { "content-type": "application/json" });
        response.end(ok && field !== null ? skewed(text, field) : text);
      })
      .catch(() => response.writeHead(502).end());
  });
  return {
    server,
    kinds: ["skew"],
    set: (fault: Fault | null) => {
      field = fault?.kind === "skew" ? fault.field : null;
    },
  };
}

function skewed(text: string, field: string): string {
  return JSON.stringify({ ...(JSON.parse(text) as object), [field]: WRONG });
}
