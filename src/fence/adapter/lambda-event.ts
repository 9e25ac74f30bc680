/** What API Gateway, load balancers and function URLs send to a function, as far as we use it. */
export interface LambdaHttpEvent {
  /** Payload format 2.0 and function URLs. */
  readonly rawPath?: string;
  readonly rawQueryString?: string;
  readonly cookies?: readonly string[];
  /** Payload format 1.0 and load balancers. */
  readonly httpMethod?: string;
  readonly path?: string;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
  readonly multiValueQueryStringParameters?: Readonly<Record<string, readonly string[] | undefined>> | null;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null;
  /** Null where a load balancer sends `multiValueHeaders` instead. */
  readonly headers?: Readonly<Record<string, string | undefined>> | null;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: {
    readonly http?: { readonly method: string };
    readonly domainName?: string;
    /** Only of a load balancer. */
    readonly elb?: unknown;
  };
}

export interface LambdaHttpAnswer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Payload format 1.0 and load balancers. */
  readonly multiValueHeaders?: Readonly<Record<string, readonly (string | number | boolean)[] | undefined>>;
  /** Payload format 2.0 and function URLs. */
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** How an event came and its answer has to look. */
export type LambdaShape = "v1" | "v2" | "alb" | "alb-multi";

/** @source AWS, "Working with AWS Lambda proxy integrations for HTTP APIs"; "Lambda functions as targets" of ALB */
export function shapeOf(event: LambdaHttpEvent): LambdaShape {
  if (event.requestContext.http !== undefined) return "v2";
  if (event.requestContext.elb === undefined) return "v1";
  return event.multiValueHeaders ? "alb-multi" : "alb";
}

export const bytesOfBase64 = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** The event as a web-standard request. */
export function requestOfEvent(event: LambdaHttpEvent): Request {
  const method = event.requestContext.http?.method ?? event.httpMethod ?? "GET";
  const headers = new Headers();
  if (event.multiValueHeaders) {
    for (const [name, values] of Object.entries(event.multiValueHeaders))
      for (const value of values ?? []) headers.append(name, value);
  } else {
    for (const [name, value] of Object.entries(event.headers ?? {}))
      if (value !== undefined && value !== null) headers.set(name, value);
  }
  if (event.cookies !== undefined) headers.set("cookie", event.cookies.join("; "));
  const path = event.rawPath ?? event.path ?? "/";
  const host = event.requestContext.domainName ?? "lambda.invalid";
  const url = `https://${host}${path.startsWith("/") ? "" : "/"}${path}${queryOf(event)}`;
  const { body } = event;
  if (body === undefined || body === null || method === "GET" || method === "HEAD")
    return new Request(url, { method, headers });
  return new Request(url, { method, headers, body: event.isBase64Encoded ? bytesOfBase64(body) : body });
}

/** Load balancers leave names and values encoded, API Gateway's format 1.0 decodes them. */
function queryOf(event: LambdaHttpEvent): string {
  if (event.rawQueryString !== undefined) return event.rawQueryString === "" ? "" : `?${event.rawQueryString}`;
  const encode = event.requestContext.elb === undefined ? encodeURIComponent : (text: string) => text;
  const many = event.multiValueQueryStringParameters ?? {};
  const single = Object.entries(event.queryStringParameters ?? {}).filter(([name]) => many[name] === undefined);
  const pairs = [
    ...Object.entries(many).flatMap(([name, values]) => (values ?? []).map((value) => [name, value] as const)),
    ...single.map(([name, value]) => [name, value ?? ""] as const),
  ];
  return pairs.length === 0 ? "" : `?${pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&")}`;
}
