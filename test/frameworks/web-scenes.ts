import { answerAt } from "./answers.ts";
import { BIG_CHUNK, BIG_CHUNKS, gateOf, pause } from "./scenes.ts";

/** Rows that only Node's response knows. */
export const NODE_ONLY = Object.fromEntries(
  [
    "text in every encoding: `end`",
    "text in every encoding: `write`",
    "`writeHead` in every form",
    "early hints (103)",
    "a piped file",
    "the framework's own file sending",
    "ended twice, written after the end",
    "a header changed after it was sent",
    "thrown after the answer",
    "a timeout's 503",
  ].map((row) => [`answer: ${row}`, "a web-standard response is one value: it cannot be written to"]),
);

function streamOf(chunks: readonly (string | Buffer)[], fault: Error | null = null): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    async pull(controller) {
      await pause(2);
      const chunk = left.shift();
      if (chunk !== undefined) return controller.enqueue(new Uint8Array(Buffer.from(chunk as string)));
      if (fault !== null) controller.error(fault);
      else controller.close();
    },
  });
}

/** Plays a scene on web standards. */
export async function playWeb(path: string, request: Request): Promise<Response> {
  const answer = answerAt(path);
  if (answer !== null) {
    const headers = new Headers();
    for (const [name, value] of answer.headers ?? [])
      for (const one of [value].flat()) headers.append(name, one as string);
    return new Response(answer.body === undefined ? null : Buffer.from(answer.body as string), {
      status: answer.status,
      headers,
    });
  }
  switch (path) {
    case "echo":
      if (request.headers.get("content-type")?.startsWith("multipart/")) {
        const form = await request.formData();
        return Response.json([form.get("title"), await (form.get("file") as File).text()]);
      }
      return new Response(Buffer.from(await request.arrayBuffer()).toString("base64"));
    case "native-json":
      return Response.json({ made: true }, { status: 201 });
    case "undefined-header":
      throw new Error("a web-standard header has no undefined value");
    case "pieces":
    case "flushed":
      return new Response(streamOf(["one, ", "two, ", "three"]), { status: 202 });
    case "late":
      await pause(20);
      return new Response("late");
    case "throw-before":
      throw new Error("planted");
    case "throw-while":
    case "destroy":
      return new Response(streamOf(["half"], new Error("planted")));
    case "big":
      return new Response(streamOf(Array.from({ length: BIG_CHUNKS }, () => BIG_CHUNK)));
    case "sse":
      return new Response(streamOf(["data: 1\n\n", "data: 2\n\n"]), {
        headers: { "content-type": "text/event-stream" },
      });
    case "slow":
      await gateOf(request.headers.get("idempotency-key"));
      return new Response("slow", { status: 201 });
    case "slow-pipe": {
      const gate = gateOf(request.headers.get("idempotency-key"));
      const rest = async function* () {
        yield new TextEncoder().encode("start ");
        await gate;
        yield new TextEncoder().encode("end");
      };
      return new Response(ReadableStream.from(rest()) as ReadableStream<Uint8Array>);
    }
    case "read":
      return new Response("read");
    case "never":
      return new Promise(() => {});
  }
  throw new Error(`no scene ${path}`);
}
