import { BYTES } from "./answers.ts";
import type { Sent } from "./client.ts";

const BOUNDARY = "----aBoundary";
export const multipart = (boundary: string, content = "a,b\r\n1,2\r\n") => ({
  type: `multipart/form-data; boundary=${boundary}`,
  body: [
    `--${boundary}`,
    'Content-Disposition: form-data; name="title"',
    "",
    "Title",
    `--${boundary}`,
    'Content-Disposition: form-data; name="file"; filename="a.csv"',
    "Content-Type: text/csv",
    "",
    content,
    `--${boundary}--`,
    "",
  ].join("\r\n"),
});

interface BodyRow {
  readonly sent: Sent;
  /** Another body of the same kind: the same key must not answer it. */
  readonly other: Sent;
}

/** Row of the table → what is sent. Handlers answer with what their framework made of it. */
export const BODY_ROWS: Readonly<Record<string, BodyRow>> = {
  "no body": { sent: {}, other: { type: "text/plain", body: "something" } },
  JSON: {
    sent: { type: "application/json", body: '{"amount":10}' },
    other: { type: "application/json", body: '{"amount":99}' },
  },
  text: { sent: { type: "text/plain", body: "pay 10 hé€" }, other: { type: "text/plain", body: "pay 99 hé€" } },
  form: {
    sent: { type: "application/x-www-form-urlencoded", body: "a=1&b=2" },
    other: { type: "application/x-www-form-urlencoded", body: "a=1&b=3" },
  },
  multipart: { sent: multipart(BOUNDARY), other: multipart(BOUNDARY, "a,b\r\n1,3\r\n") },
  bytes: {
    sent: { type: "application/octet-stream", body: BYTES },
    other: { type: "application/octet-stream", body: Buffer.concat([BYTES, BYTES]) },
  },
  "a type no parser takes": {
    sent: { type: "application/x-other", body: "pay 10" },
    other: { type: "application/x-other", body: "pay 99" },
  },
  "no content type": { sent: { body: "pay 10" }, other: { body: "pay 99" } },
  "in pieces, without a length": {
    sent: { type: "text/plain", body: ["pay ", "1", "0"] },
    other: { type: "text/plain", body: ["pay ", "9", "9"] },
  },
  "60 KiB": {
    sent: { type: "application/json", body: JSON.stringify({ text: "x".repeat(60_000) }) },
    other: { type: "application/json", body: JSON.stringify({ text: "y".repeat(60_000) }) },
  },
};
