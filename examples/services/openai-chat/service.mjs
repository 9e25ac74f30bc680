// A fake of an OpenAI-compatible chat endpoint with retrieved sources beside the message, as "On Your Data" answers.
// Shapes: platform.openai.com/docs/api-reference/chat, learn.microsoft.com/azure/ai-foundry/openai/references/on-your-data
import { retrieve } from "../knowledge.mjs";

export const path = "/v1/chat/completions";
/** What a request must carry, given the run's secret. */
export const credentials = (secret) => ({ authorization: `Bearer ${secret}` });
export const ask = (question) => ({ body: { model: "gpt-4o", messages: [{ role: "user", content: question }] } });

export function answer({ body }) {
  const found = retrieve(body.messages.at(-1).content);
  const citations = found.map(({ doc, section, text }) => ({
    content: text,
    title: doc,
    filepath: `${doc}.md`,
    url: null,
    chunk_id: section,
  }));
  const message = { role: "assistant", content: `${found[0].text} [doc1]`, context: { citations, intent: "[]" } };
  return {
    json: {
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1_760_000_000,
      model: body.model,
      choices: [{ index: 0, message, finish_reason: "stop" }],
      usage: { prompt_tokens: 80, completion_tokens: 20, total_tokens: 100 },
    },
  };
}
