import { nextIdempotency, type Idempotency } from "../../../../../dist/fence/index.js";
import { playWeb } from "../../../web-scenes.ts";

/** Set by the suite, which runs in the same process. */
const { sluiceFence, sluiceRuns } = globalThis as unknown as {
  sluiceFence: Idempotency;
  sluiceRuns: { count(key: unknown): void };
};

type Context = { params: Promise<{ path: string[] }> };

async function play(request: Request, { params }: Context): Promise<Response> {
  sluiceRuns.count(request.headers.get("idempotency-key") ?? undefined);
  const [place, ...path] = (await params).path;
  if (place === undefined) throw new Error("no place");
  return playWeb(path.join("/"), request);
}

const fenced = (request: Request, context: Context) => nextIdempotency(sluiceFence, play)(request, context);

async function answer(request: Request, context: Context): Promise<Response> {
  const [place] = (await context.params).path;
  return place === "fenced" ? fenced(request, context) : play(request, context);
}

export { answer as DELETE, answer as GET, answer as POST };
