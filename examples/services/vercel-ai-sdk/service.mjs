// A fake of a route built with the Vercel AI SDK: a UI message stream over server-sent events. Shapes:
// ai-sdk.dev/docs/ai-sdk-ui/stream-protocol (text-delta and data-* parts, header x-vercel-ai-ui-message-stream: v1).
import { retrieve } from "../knowledge.mjs";

export const path = "/api/chat";
export const credentials = (secret) => ({ cookie: `session=${secret}` });
export const ask = (question) => ({
  body: { id: "c1", messages: [{ id: "m1", role: "user", parts: [{ type: "text", text: question }] }] },
});
/** A health endpoint of its own shape. */
export const health = {
  path: "/api/health",
  json: { ok: true, build: { version: "2026.11.3", commit: "9f1c" }, index: "library-v4" },
};

export function answer({ body }) {
  const found = retrieve(body.messages.at(-1).parts[0].text);
  const parts = [
    { type: "start", messageId: "m2" },
    {
      type: "data-sources",
      data: found.map(({ doc, section, text }) => ({ document: doc, anchor: section, snippet: text })),
    },
    { type: "text-start", id: "t1" },
    ...found[0].text.split(/(?<= )/).map((delta) => ({ type: "text-delta", id: "t1", delta })),
    { type: "text-end", id: "t1" },
    { type: "finish" },
  ];
  const events = [...parts.map((part) => JSON.stringify(part)), "[DONE]"].map((data) => `data: ${data}\n\n`);
  return {
    headers: { "content-type": "text/event-stream", "x-vercel-ai-ui-message-stream": "v1" },
    text: events.join(""),
  };
}
