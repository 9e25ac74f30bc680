import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { ClientConnection, connectionOf, type ParserError } from "./client-connection.ts";
import { joinSmallWrites } from "./joined-writes.ts";
import { type HandlerContext, handleRequest, refuse } from "./handler.ts";
import type { GatewayLimits, GatewayTimeouts } from "./options.ts";
import { ownAnswerBytes } from "./own-answer.ts";
import { REFUSALS, type Refusal } from "./refusal.ts";
import { SmallTurns } from "./small-turns.ts";

/** How often clients that are late are looked for: so often that those who came together are not found together. */
const CHECK_MS = 50;
/** What is said to a client that made no request gets this long to leave. */
const LINGER_MS = 10_000;

/** The strict parser, whatever flags the process was started with, and limits on everything a client can prolong. */
export function httpServer(context: HandlerContext, timeouts: GatewayTimeouts, limits: GatewayLimits): Server {
  const server = createServer({
    insecureHTTPParser: false,
    requireHostHeader: false, // Our own rule, so that what follows such a request is not read either.
    maxHeaderSize: limits.headerBytes,
    headersTimeout: timeouts.clientHeadersMs,
    requestTimeout: timeouts.clientRequestMs,
    keepAliveTimeout: timeouts.clientIdleMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, timeouts.clientHeadersMs),
    noDelay: true,
  });
  server.maxHeadersCount = 0; // Node.js would hide the rest from us; we count and refuse.
  server.on("connection", (socket: Socket) => takeConnection(context, server, socket));
  const handle = (req: IncomingMessage, res: ServerResponse) => handleRequest(context, req, res);
  server.on("request", handle);
  server.on("checkContinue", (req, res) => {
    if (Number(req.headers["content-length"] ?? 0) > limits.bodyBytes) return refuse(context, res, REFUSALS.bodySize);
    res.writeContinue();
    handle(req, res);
  });
  server.on("checkExpectation", (_req, res) => refuse(context, res, REFUSALS.expectation));
  server.on("connect", (_req, socket) => refuseConnection(socket, REFUSALS.method));
  const turns = new SmallTurns(context.clock);
  server.on("clientError", (error: ParserError, socket) => {
    // Clients that came together are late together.
    if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") turns.add(() => endConnection(context, error, socket));
    else endConnection(context, error, socket);
  });
  return server;
}

function takeConnection({ peers, counts, clock }: HandlerContext, server: Server, socket: Socket): void {
  const peer = peers.peerOf(socket.remoteAddress);
  if (!peers.enter(peer)) {
    counts.connectionsRefused++;
    socket.destroy();
    return;
  }
  joinSmallWrites(socket);
  new ClientConnection(socket, server, peer, clock);
  socket.once("close", () => peers.leave(peer));
}

/** What came on a connection is no request, or none in time. */
function endConnection({ counts }: HandlerContext, error: ParserError, socket: Duplex): void {
  if (socket.destroyed) return;
  const connection = connectionOf(socket);
  if (connection.expects(error)) return;
  if (error.code !== "ECONNRESET") counts.malformed++;
  if (!socket.writable || connection.isOver || connection.isReadingOwed) socket.destroy();
  else connection.endWith(() => refuseConnection(socket, parseRefusal(error.code)));
}

function refuseConnection(socket: Duplex, refusal: Refusal): void {
  connectionOf(socket).end();
  socket.on("error", () => socket.destroy());
  (socket as Socket).setTimeout(LINGER_MS, () => socket.destroy());
  socket.end(ownAnswerBytes(refusal, STATUS_CODES[refusal.status] ?? ""), () => socket.destroy());
}

function parseRefusal(code: string | undefined): Refusal {
  if (code === "HPE_HEADER_OVERFLOW") return REFUSALS.headerSize;
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return REFUSALS.slow;
  return REFUSALS.malformed;
}
