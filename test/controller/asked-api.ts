import Ajv2020 from "ajv/dist/2020.js";
import type { Hono } from "hono";
import { expect } from "vitest";
import type { z } from "zod";
import { openapi } from "../../src/contract/openapi.ts";
import { PROBLEM_STATUS, problemAnswer } from "../../src/contract/problem.ts";
import { type Content, refusalsOf, type Route } from "../../src/contract/route.ts";
import { type RouteName, ROUTES } from "../../src/contract/routes.ts";
import { controllerApp } from "../../src/controller/api/app.ts";
import type { ControllerOptions } from "../../src/controller/controller-options.ts";
import { TokenBook } from "../../src/controller/token-book.ts";
import { World } from "./world.ts";

const ADMIN = "a".repeat(43);
const HOST = "127.0.0.1:4400";

const ajv = new Ajv2020.default({ strict: false, logger: false });
ajv.addSchema({ $id: "https://sluice.test/openapi", ...openapi() });

/** What the OpenAPI description itself says is wrong with a value at one of its operations; null when nothing is. */
function describedProblem(name: RouteName, status: number, media: string, value: unknown): string | null {
  const [method = "", path = ""] = name.split(" ");
  const parts = ["paths", path, method.toLowerCase(), "responses", String(status), "content", media, "schema"];
  const pointer = parts.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
  const validate = ajv.getSchema(`https://sluice.test/openapi#/${pointer}`);
  if (validate === undefined) return `the description has no ${media} of ${name} with status ${status}`;
  return validate(value) === true ? null : ajv.errorsText(validate.errors);
}

/** The first event of a stream, as it was sent. */
async function firstEvent(response: Response): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  while (!/\n\n/.test(text)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
  }
  await reader.cancel();
  return /^data: (.*)$/m.exec(text)?.[1] ?? "";
}

/** The real API of a controller in a world; every answer is held against the contract before a test sees it. */
export class AskedApi {
  readonly world: World;
  readonly app: Hono;
  readonly #stopped: AbortController;
  #keys = 0;

  private constructor(world: World, app: Hono, stopped: AbortController) {
    this.world = world;
    this.app = app;
    this.#stopped = stopped;
  }

  static async open(over: Partial<ControllerOptions> = {}, hasBackup = true): Promise<AskedApi> {
    const world = await new World().open((options) => ({ ...options, ...over }));
    await world.run(2);
    const { controller, clock, store } = world;
    const tokens = await TokenBook.open(store, clock, [[ADMIN, "admin"]]);
    const stopped = new AbortController();
    const backup = () => Promise.resolve(new Response("a store").body as ReadableStream<Uint8Array>);
    const app = controllerApp(controller, {
      secret: ADMIN,
      tokens,
      hasOpenMetrics: false,
      allowedHosts: [HOST],
      clock,
      stopped: stopped.signal,
      log: (line) => void world.logged.push(line),
      ...(hasBackup ? { backup } : {}),
    });
    return new AskedApi(world, app, stopped);
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.world.controller.stop();
  }

  /** Asks one route. @param path with its placeholders filled in @param headers replace those of an ordinary request */
  async ask(
    name: RouteName,
    path: string,
    { body, headers = {} }: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Asked> {
    const [method = "GET"] = name.split(" ");
    const given = { host: HOST, authorization: `Bearer ${ADMIN}`, "idempotency-key": `k${++this.#keys}`, ...headers };
    const text = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const response = await this.app.request(`http://${HOST}${path}`, { method, headers: given, ...text });
    const route: Route = ROUTES[name];
    if (response.ok && route.body !== undefined && body !== undefined) route.body.parse(body);
    return conforming(name, response);
  }
}

/** An answer that keeps the contract; `code` is that of a refusal. */
export interface Asked {
  readonly status: number;
  readonly code: string | null;
  readonly value: unknown;
}

/** Holds an answer against the contract, by its schemas and by the OpenAPI description, and fails where it breaks it. */
export async function conforming(name: RouteName, response: Response): Promise<Asked> {
  const { status } = response;
  const route: Route = ROUTES[name];
  const media = (response.headers.get("content-type") ?? "").split(";")[0] ?? "";
  if (status >= 400) {
    const value: unknown = await response.json();
    const refusal = problemAnswer.parse(value);
    const found = { media, status, isListed: refusalsOf(route).includes(refusal.title) };
    expect(found, `${name} refused: ${refusal.detail}`).toEqual({
      media: "application/problem+json",
      status: PROBLEM_STATUS[refusal.title],
      isListed: true,
    });
    expect(describedProblem(name, status, media, value)).toBeNull();
    return { status, code: refusal.title, value };
  }
  const content: Content | undefined = route.answers[status];
  expect(content, `${name} answered ${status}, which the contract does not name`).toBeDefined();
  return { status, code: null, value: await valueOf(name, status, media, content ?? {}, response) };
}

async function valueOf(
  name: RouteName,
  status: number,
  media: string,
  { json, events, other }: Content,
  response: Response,
): Promise<unknown> {
  const read = (schema: z.ZodType | undefined, value: unknown): unknown => {
    expect(schema, `${name} answered ${media}, which the contract does not name`).toBeDefined();
    const parsed = schema?.safeParse(value);
    expect(parsed?.error?.issues ?? [], `${name} answered beyond the contract`).toEqual([]);
    expect(describedProblem(name, status, media, value)).toBeNull();
    return value;
  };
  if (media === "text/event-stream") return read(events, JSON.parse(await firstEvent(response)));
  if (media === "application/json") return read(json, await response.json());
  const text = await response.text();
  expect(media, `${name} answered ${media}`).toBe(other ?? "");
  return text;
}
