import { createServer, type IncomingMessage } from "node:http";
import { lambdaIdempotency, lambdaStreamIdempotency, type Idempotency } from "../../dist/fence/index.js";
import { Runs } from "./scenes.ts";
import { aFence, listen, shut } from "./serve.ts";
import type { Framework } from "./suite.ts";
import { NODE_ONLY, playWeb } from "./web-scenes.ts";

type Shape = "1.0" | "2.0" | "ALB" | "ALB, multi-value";

const LACKS = {
  ...NODE_ONLY,
  "answer: a status outside 200 to 599": "a gateway in front accepts no other status",
  "answer: the framework's own JSON": "there is no framework",
  "answer: the framework's 4xx error": "there is no framework",
  "client: leaves a handler that never ends": "Lambda ends it: the lease runs out by itself",
};

/** An event as the gateway in front makes it. @source AWS's event references of HTTP API, REST API and ALB */
function eventOf(shape: Shape, req: IncomingMessage, body: Buffer): any {
  const [path, query = ""] = (req.url as string).split("?");
  const isText = /json|text|urlencoded/.test(req.headers["content-type"] ?? "text");
  const carried = {
    body: body.length === 0 ? null : body.toString(isText ? "utf8" : "base64"),
    isBase64Encoded: body.length > 0 && !isText,
  };
  const lists = Object.fromEntries(Object.entries(req.headersDistinct).map(([name, values]) => [name, values]));
  const headers = Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, values?.join(",")]));
  if (shape === "2.0")
    return {
      version: "2.0",
      rawPath: path,
      rawQueryString: query,
      headers,
      requestContext: { http: { method: req.method } },
      ...carried,
    };
  const common = { httpMethod: req.method, path, queryStringParameters: null, ...carried };
  if (shape === "1.0") return { ...common, version: "1.0", headers, multiValueHeaders: lists, requestContext: {} };
  const requestContext = { elb: { targetGroupArn: "arn" } };
  return shape === "ALB"
    ? { ...common, headers, requestContext }
    : { ...common, multiValueHeaders: lists, requestContext };
}

async function answerOf(shape: Shape, response: Response): Promise<any> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const isText = !bytes.includes(0) && Buffer.from(bytes.toString()).equals(bytes);
  const cookies = response.headers.getSetCookie();
  const plain = [...response.headers].filter(([name]) => name !== "set-cookie");
  const body = {
    statusCode: response.status,
    body: bytes.toString(isText ? "utf8" : "base64"),
    isBase64Encoded: !isText,
  };
  const headers = { ...Object.fromEntries(plain), "x-next": undefined };
  if (shape === "2.0") return { ...body, headers, cookies };
  if (shape === "ALB")
    return {
      ...body,
      headers: {
        ...headers,
        ...Object.fromEntries(cookies.map((cookie, at) => [at ? "Set-Cookie" : "set-cookie", cookie])),
      },
    };
  return {
    ...body,
    headers: shape === "1.0" ? headers : {},
    multiValueHeaders: {
      ...(shape === "1.0" ? {} : Object.fromEntries(plain.map(([name, value]) => [name, [value]]))),
      "set-cookie": cookies,
    },
  };
}

const webRequestOf = (req: IncomingMessage, body: Buffer) =>
  new Request(`http://lambda.invalid${req.url}`, {
    method: req.method as string,
    headers: req.headers as Record<string, string>,
    ...(body.length > 0 ? { body: new Uint8Array(body) } : {}),
  });

/** A gateway in front of one function: one request in, one event, one answer out. It is a fake of AWS's. */
function front(invoke: (req: IncomingMessage, body: Buffer) => Promise<any>) {
  return createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    try {
      const {
        statusCode,
        headers = {},
        multiValueHeaders = {},
        cookies = [],
        body,
        isBase64Encoded,
      } = await invoke(req, Buffer.concat(chunks));
      const all: [string, string][] = [];
      for (const [name, value] of Object.entries(headers))
        if (value !== undefined && multiValueHeaders[name] === undefined) all.push([name, `${value}`]);
      for (const [name, values] of Object.entries(multiValueHeaders))
        for (const value of values as string[]) all.push([name, value]);
      for (const cookie of cookies) all.push(["set-cookie", cookie]);
      res.writeHead(statusCode, all.flat());
      res.end(Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8"));
    } catch {
      res.writeHead(502).end("the function failed");
    }
  });
}

async function serve(make: (fence: Idempotency | null) => ReturnType<typeof front>) {
  const servers = [make(aFence()), make(null)] as const;
  const [fencedUrl, bareUrl] = [await listen(servers[0]), await listen(servers[1])];
  return { fencedUrl, bareUrl, close: () => Promise.all(servers.map(shut)) };
}

const BUFFERED = "the gateway in front takes whole answers";

const column = (shape: Shape, more: Partial<Framework> = {}): Framework => ({
  name: `Lambda, ${shape}`,
  lacks: {
    ...LACKS,
    "answer: an answer of 300 KiB": BUFFERED,
    "answer: an event stream": BUFFERED,
    "answer: thrown while writing": BUFFERED,
    "answer: the connection destroyed by the handler": BUFFERED,
  },
  async start() {
    const runs = new Runs();
    const both = await serve((fence) =>
      front(async (req, body) => {
        const handler = async (event: any) => {
          runs.count(req.headers["idempotency-key"]);
          const bytes = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
          return answerOf(shape, await playWeb((req.url as string).slice(1), webRequestOf(req, bytes)));
        };
        const event = eventOf(shape, req, body);
        return fence === null ? handler(event) : lambdaIdempotency(fence, handler)(event);
      }),
    );
    return { ...both, runs };
  },
  ...more,
});

/** A stream as the runtime hands it over: the head comes with `HttpResponseStream.from`. A fake of AWS's. */
const runtime = {
  HttpResponseStream: {
    from(res: any, { statusCode, headers, cookies = [] }: any) {
      res.writeHead(
        statusCode,
        [...Object.entries(headers), ...cookies.map((cookie: string) => ["set-cookie", cookie])].flat(),
      );
      return res;
    },
  },
};

const STREAMING: Framework = {
  name: "Lambda, streaming",
  lacks: LACKS,
  async start() {
    const runs = new Runs();
    const both = await serve(
      (fence) =>
        createServer(async (req, res) => {
          const chunks: Buffer[] = [];
          for await (const chunk of req) chunks.push(chunk as Buffer);
          const body = Buffer.concat(chunks);
          const handler = () => {
            runs.count(req.headers["idempotency-key"]);
            return playWeb((req.url as string).slice(1), webRequestOf(req, body));
          };
          const fenceOr =
            fence ??
            ({
              handle: (_: Request, run: (request: Request, context: null) => Promise<Response>) => run(_, null),
            } as never);
          const event = eventOf("2.0", req, body);
          await lambdaStreamIdempotency(
            fenceOr,
            runtime as never,
            handler,
          )(event, res as never).catch(() => (res.headersSent ? res.destroy() : res.writeHead(502).end()));
        }) as never,
    );
    return { ...both, runs };
  },
};

export const LAMBDA = [
  column("1.0"),
  column("2.0", { name: "Lambda, 2.0 and function URL" }),
  column("ALB"),
  column("ALB, multi-value"),
  STREAMING,
];
