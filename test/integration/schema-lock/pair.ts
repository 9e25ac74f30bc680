import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { ReadableStream as NodeStream } from "node:stream/web";
import { Readable } from "node:stream";
import type { ArmTarget, RoutingDocument } from "../../../src/core/routing/document.ts";
import type { Serves } from "../../../src/core/routing/schema-lock.ts";
import type { Bp } from "../../../src/core/unit.ts";
import { createRouter } from "../../../src/edge/router.ts";
import { schemaLock } from "../../../src/fence/schema-lock/index.ts";
import { aDocument, aGateway, listen } from "../../gateway/world.ts";

/** Something that answers on a free port. */
export interface Running {
  readonly url: string;
  close(): Promise<void>;
}

/** A data plane in front of both revisions. */
export interface DataPlane extends Running {
  publish(document: RoutingDocument): void;
}

export interface Revision extends Running {
  /** Pins of the requests the handler has executed. */
  readonly executed: string[];
}

/** A web-standard handler behind a real node:http server. */
async function serve(handler: (request: Request) => Promise<Response>): Promise<Running> {
  const server = createServer((req, res) => {
    answer(handler, req, res).catch((error: unknown) => res.writeHead(500).end(String(error)));
  });
  const url = await listen(server);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, close };
}

async function answer(
  handler: (request: Request) => Promise<Response>,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const headers = new Headers();
  for (let at = 0; at < req.rawHeaders.length; at += 2) {
    headers.append(req.rawHeaders[at] as string, req.rawHeaders[at + 1] as string);
  }
  const hasBody = req.method !== "GET" && req.method !== "HEAD";
  const init: RequestInit & { duplex?: "half" } = {
    ...(req.method === undefined ? {} : { method: req.method }),
    headers,
    ...(hasBody ? { body: Readable.toWeb(req) as ReadableStream<Uint8Array>, duplex: "half" } : {}),
  };
  const response = await handler(new Request(`http://${req.headers.host}${req.url}`, init));
  res.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) res.end();
  else Readable.fromWeb(response.body as NodeStream<Uint8Array>).pipe(res);
}

/** One revision of a service, locked to what it serves. */
export async function aRevision(name: string, serves: Serves): Promise<Revision> {
  const executed: string[] = [];
  const running = await serve(
    schemaLock({ serves })(async (request) => {
      executed.push(request.headers.get("x-schema-rev") ?? "none");
      return Response.json({ revision: name, bytes: (await request.text()).length });
    }),
  );
  return { ...running, executed };
}

/** The edge library behind node:http. */
export async function anEdgeRouter(document: RoutingDocument): Promise<DataPlane> {
  const router = createRouter({ document, keys: "accept-unsigned" });
  const running = await serve((request) => router.handle(request));
  return { ...running, publish: (next) => void router.updateDocument(JSON.stringify(next)) };
}

/** The gateway itself. */
export async function aGatewayPlane(document: RoutingDocument): Promise<DataPlane> {
  const gateway = await aGateway(document);
  return { url: gateway.url, close: () => gateway.drain(), publish: (next) => void gateway.adopt(next) };
}

/** A document that sends `candidateBp` to green, trusts all three pins, and says what each arm serves. */
export function aLockedDocument(
  blue: { readonly url: string; readonly serves?: Serves },
  green: { readonly url: string; readonly serves?: Serves },
  candidateBp: number,
  parts: Partial<RoutingDocument> = {},
): RoutingDocument {
  const target = (prefix: string, { url, serves }: typeof blue): ArmTarget => ({
    releaseId: `rel-${prefix}`,
    endpoints: [url],
    cachePrefix: `${prefix}:`,
    ...(serves === undefined ? {} : { serves }),
  });
  return aDocument(blue.url, green.url, {
    arms: { stable: target("v1-blu", blue), candidate: target("v2-grn", green) },
    candidateBp: candidateBp as Bp,
    identity: {
      trustedHeaders: ["x-user-id", "x-schema-rev", "x-index-hash", "x-model-tag"],
      stickyBy: ["x-user-id"],
    },
    drainMs: 200,
    ...parts,
  });
}
