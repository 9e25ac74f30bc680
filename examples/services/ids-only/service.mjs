// A fake of a service that answers with the ids of what it found and no text of it.
import { retrieve } from "../knowledge.mjs";

export const path = "/v2/answers";
export const credentials = () => ({});
export const ask = (question) => ({ body: { text: question, limit: 5 } });

export function answer({ body }) {
  const found = retrieve(body.text, body.limit);
  return { json: { answer: found[0].text, sources: found.map(({ doc, section }) => `${doc}/${section}`) } };
}
