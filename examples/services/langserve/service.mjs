// A fake of a LangServe route of a retrieval chain. Shapes: github.com/langchain-ai/langserve (POST /invoke takes input and
// gives output and metadata), documents as LangChain serialises them.
import { retrieve } from "../knowledge.mjs";

export const path = "/library/invoke";
export const credentials = (secret) => ({ "x-api-key": secret });
export const ask = (question) => ({ body: { input: { input: question }, config: {}, kwargs: {} } });

export function answer({ body }) {
  const { input } = body.input;
  const found = retrieve(input);
  const context = found.map(({ doc, section, text }) => ({
    id: null,
    metadata: { source: doc, section },
    page_content: text,
    type: "Document",
  }));
  return {
    json: { output: { input, context, answer: found[0].text }, metadata: { run_id: "run-1", feedback_tokens: [] } },
  };
}
