// A fake of a Dify chat app in blocking mode. Shapes: docs.dify.ai, POST /v1/chat-messages (answer and
// metadata.retriever_resources with document_name, segment_id and content).
import { retrieve } from "../knowledge.mjs";

export const path = "/v1/chat-messages";
export const credentials = (secret) => ({ authorization: `Bearer ${secret}` });
export const ask = (question) => ({
  body: { inputs: {}, query: question, response_mode: "blocking", user: "reader-1" },
});

export function answer({ body }) {
  const found = retrieve(body.query);
  const resources = found.map(({ doc, section, text, score }, index) => ({
    position: index + 1,
    dataset_id: "d1",
    dataset_name: "library",
    document_id: `doc-${doc}`,
    document_name: doc,
    segment_id: section,
    score,
    content: text,
  }));
  return {
    json: {
      event: "message",
      task_id: "t1",
      message_id: "m1",
      conversation_id: "c1",
      mode: "chat",
      answer: found[0].text,
      metadata: { usage: { total_tokens: 100 }, retriever_resources: resources },
      created_at: 1_760_000_000,
    },
  };
}
