// A fake of a Haystack pipeline served by Hayhooks, behind a proxy that wants an OAuth token. Shapes:
// docs.haystack.deepset.ai (Document: id, content, meta, score) and github.com/deepset-ai/hayhooks (POST /NAME/run).
import { retrieve } from "../knowledge.mjs";

export const path = "/library/run";
/** The token this fake's own token endpoint gives for the secret. */
export const credentials = (secret) => ({ authorization: `Bearer token-of-${secret}` });
export const ask = (question) => ({ body: { query: question } });
/** Client credentials (RFC 6749 §4.4): the client authenticates with Basic. */
export const oauth = { path: "/oauth/token", clientId: "sluice" };
export const health = { path: "/status", json: { status: "Up!", pipelines: ["library"] } };

export function answer({ body }) {
  const found = retrieve(body.query);
  const documents = found.map(({ doc, section, text, score }) => ({
    id: `${doc}-${section}`,
    content: text,
    meta: { file_path: `${doc}.md`, split_id: section },
    score,
  }));
  return { json: { result: { retriever: { documents }, llm: { replies: [found[0].text], meta: [{}] } } } };
}
