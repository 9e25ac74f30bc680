// A fake of a LlamaIndex query engine behind HTTP, answering the engine's Response with its source nodes. Shapes:
// docs.llamaindex.ai, Response (response, source_nodes, metadata) and NodeWithScore (node, score).
import { retrieve } from "../knowledge.mjs";

export const path = "/api/query";
export const credentials = (secret) => ({
  authorization: `Basic ${Buffer.from(`probe:${secret}`).toString("base64")}`,
});
export const ask = (question) => ({ body: { query: question, similarity_top_k: 5 } });

export function answer({ body }) {
  const found = retrieve(body.query, body.similarity_top_k);
  const nodes = found.map(({ doc, section, text, score }) => ({
    node: {
      id_: `node-${section}`,
      metadata: { file_name: `${doc}.md`, header_id: section },
      text,
      class_name: "TextNode",
    },
    score,
    class_name: "NodeWithScore",
  }));
  return { json: { response: found[0].text, source_nodes: nodes, metadata: {} } };
}
