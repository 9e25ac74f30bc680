// A fake of the OpenAI Responses API with its file search tool. Shapes: platform.openai.com/docs/api-reference/responses and
// /docs/guides/tools-file-search (results come with include: ["file_search_call.results"]).
import { retrieve } from "../knowledge.mjs";

export const path = "/v1/responses";
export const credentials = (secret) => ({ authorization: `Bearer ${secret}` });
export const ask = (question) => ({
  body: { model: "gpt-4.1", input: question, include: ["file_search_call.results"] },
});

export function answer({ body }) {
  const found = retrieve(body.input);
  const results = found.map(({ doc, section, text, score }) => ({
    attributes: { section },
    file_id: `file-${doc}`,
    filename: `${doc}.md`,
    score,
    text,
  }));
  const [{ doc, text }] = found;
  const annotations = [{ type: "file_citation", index: text.length, file_id: `file-${doc}`, filename: `${doc}.md` }];
  return {
    json: {
      id: "resp_1",
      object: "response",
      status: "completed",
      model: body.model,
      output: [
        { type: "file_search_call", id: "fs_1", status: "completed", queries: [body.input], results },
        {
          type: "message",
          id: "msg_1",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text, annotations }],
        },
      ],
    },
  };
}
