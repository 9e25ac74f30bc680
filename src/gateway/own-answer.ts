import type { ServerResponse } from "node:http";
import { HEADERS } from "../core/routing/headers.ts";

/** What the body of an answer of the gateway's own says, beside the status. */
export interface OwnAnswer {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/**
 * Answers in the gateway's own name: problem+json, marked so that nobody takes it for the service's answer.
 * @param labels name, value, … of the decision, when there was one
 * @param closes ends the connection: its position in the byte stream is not trusted, or the gateway is leaving
 * @source RFC 9457
 */
export function sendOwnAnswer(res: ServerResponse, own: OwnAnswer, labels: readonly string[], closes: boolean): void {
  sendProblem(res, own.status, ownBody(own), labels, closes);
}

/**
 * The same for a problem that was worded elsewhere.
 * @param body JSON text of the problem document
 */
export function sendProblem(
  res: ServerResponse,
  status: number,
  body: string,
  labels: readonly string[],
  closes: boolean,
): void {
  const headers = ["content-type", "application/problem+json", "content-length", String(Buffer.byteLength(body))];
  headers.push(HEADERS.origin, "gateway", "cache-control", "no-store", ...labels);
  if (status === 503) headers.push("retry-after", "1");
  if (closes) headers.push("connection", "close");
  res.writeHead(status, headers);
  res.end(body);
}

/** The same as bytes for a connection on which no request could be read. */
export function ownAnswerBytes(own: OwnAnswer, reason: string): string {
  const body = ownBody(own);
  return (
    `HTTP/1.1 ${own.status} ${reason}\r\ncontent-type: application/problem+json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n${HEADERS.origin}: gateway\r\ncache-control: no-store\r\n` +
    `connection: close\r\n\r\n${body}`
  );
}

function ownBody({ status, code, detail }: OwnAnswer): string {
  return JSON.stringify({ type: "about:blank", title: `sluice gateway: ${code}`, status, code, detail });
}
