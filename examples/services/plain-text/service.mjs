// A fake of the plainest service there is: GET with the question in the query string, a plain text as the answer, and
// the sections it used in brackets.
import { retrieve } from "../knowledge.mjs";

export const path = "/ask";
export const credentials = (secret) => ({ "x-api-key": secret });
export const ask = (question) => ({ method: "GET", query: { q: question } });

export function answer({ query }) {
  const references = retrieve(query.get("q") ?? "", 4).map(({ doc, section }) => `[${doc}#${section}]`);
  return {
    headers: { "content-type": "text/plain" },
    text: `${retrieve(query.get("q") ?? "", 1)[0].text} ${references.join(" ")}`,
  };
}
