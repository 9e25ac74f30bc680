/** An answer as data; every framework gives it in its own way. */
export interface AnswerSpec {
  readonly status: number;
  readonly headers?: readonly (readonly [name: string, value: string | readonly string[]])[];
  readonly body?: string | Buffer;
}

export const BYTES = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
const text = [["content-type", "text/plain; charset=utf-8"]] as const;
const json = [["content-type", "application/json; charset=utf-8"]] as const;

const withStatus = (status: number): AnswerSpec => ({ status, headers: text, body: `status ${status}` });
const empty = (status: number): AnswerSpec => ({ status });
const redirect = (status: number): AnswerSpec => ({
  status,
  headers: [["location", "/elsewhere?a=1&b=2"], ...text],
  body: "see there",
});

/** Row of the table → its answers. Each one is asked for on its own. */
export const ANSWER_ROWS: Readonly<Record<string, readonly AnswerSpec[]>> = {
  JSON: [{ status: 200, headers: json, body: '{"ok":true,"text":"hé€"}' }],
  text: [{ status: 200, headers: text, body: "hé€\r\n\u0000" }],
  "nothing (200)": [empty(200)],
  bytes: [{ status: 200, headers: [["content-type", "application/octet-stream"]], body: BYTES }],
  "byte order mark": [{ status: 200, headers: [["content-type", "text/csv; charset=utf-8"]], body: "\ufeffa;b" }],
  "2xx": [200, 201, 202, 203, 206, 207, 226, 299].map(withStatus),
  "204, 205, 304": [204, 205, 304].map(empty),
  redirects: [301, 302, 303, 307, 308].map(redirect),
  "4xx": [400, 401, 404, 409, 413, 422, 429, 499].map(withStatus),
  "5xx": [500, 501, 502, 503, 504, 599].map(withStatus),
  "repeated headers": [
    { status: 200, headers: [["x-many", ["a", "b, c"]], ["link", ["<a>; rel=x", "<b>; rel=y"]], ...text], body: "ok" },
  ],
  cookies: [
    {
      status: 200,
      headers: [["set-cookie", ["sid=1; Path=/; HttpOnly", "csrf=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"]], ...text],
      body: "ok",
    },
  ],
  "headers of every kind": [
    {
      status: 201,
      headers: [["etag", '"a"'], ["x-empty", ""], ["cache-control", "private"], ["vary", "accept"], ...text],
      body: "ok",
    },
  ],
};

/** What a row's answers are called in paths. */
export const answerPath = (row: string, index: number) => `answer/${Object.keys(ANSWER_ROWS).indexOf(row)}/${index}`;

export function answerAt(path: string): AnswerSpec | null {
  const match = /answer\/(\d+)\/(\d+)/.exec(path);
  if (match === null) return null;
  return Object.values(ANSWER_ROWS)[Number(match[1])]?.[Number(match[2])] ?? null;
}
