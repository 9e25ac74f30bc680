import { createServer, type IncomingMessage, type Server } from "node:http";
import { z } from "zod";
import { SKEW_FIELDS } from "../../core/drill/fault.ts";
import { DriverError } from "../../ports/driver-error.ts";
import type { FaultAgent, FaultStatus } from "../../ports/fault-agent.ts";

const BODY_MAX_BYTES = 4_096;
const id = z.string().min(1).max(256);
const leaseMs = z.number();
const fault = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("brownout"),
    delayMs: z.number().min(0).max(60_000),
    errorShare: z.number().min(0).max(1),
  }),
  z.strictObject({ kind: z.literal("blackhole") }),
  z.strictObject({ kind: z.literal("skew"), field: z.enum(SKEW_FIELDS) }),
  z.strictObject({ kind: z.literal("reroute") }),
]);
const asked = z.discriminatedUnion("verb", [
  z.strictObject({ verb: z.literal("apply"), faultId: id, fault, leaseMs }),
  z.strictObject({ verb: z.literal("renew"), faultId: id, leaseMs }),
  z.strictObject({ verb: z.literal("revert"), faultId: id }),
  z.strictObject({ verb: z.literal("status") }),
]);

/** An agent over HTTP: each question is a POST with its verb, and the answer is the status, or 409 and why not. */
export function agentServer(agent: FaultAgent): Server {
  return createServer((request, response) => {
    const tell = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    bodyOf(request)
      .then((text) => answer(agent, asked.parse(JSON.parse(text))))
      .then((status) => tell(200, status))
      .catch((error: unknown) => {
        if (error instanceof DriverError) return tell(409, { code: error.code, message: error.message });
        tell(400, { code: "rejected", message: String(error) });
      });
  });
}

function answer(agent: FaultAgent, said: z.output<typeof asked>): Promise<FaultStatus> {
  const { signal } = new AbortController();
  switch (said.verb) {
    case "apply":
      return agent.apply(said.faultId, said.fault, said.leaseMs, signal);
    case "renew":
      return agent.renew(said.faultId, said.leaseMs, signal);
    case "revert":
      return agent.revert(said.faultId, signal);
    case "status":
      return agent.status(signal);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += (part as Buffer).byteLength;
    if (bytes > BODY_MAX_BYTES) throw new Error(`more than ${BODY_MAX_BYTES} bytes`);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString("utf8");
}
