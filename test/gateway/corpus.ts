/** One connection's bytes, and the requests the origin must see of them: method and target, in order. */
export interface Payload {
  readonly name: string;
  readonly bytes: string | readonly string[];
  readonly reach: readonly string[];
}

const EOL = "\r\n";
/** A well-formed request behind the payload: were the two ends to disagree on lengths, it would reach the origin. */
const SMUGGLED = `GET /smuggled HTTP/1.1${EOL}Host: x${EOL}${EOL}`;
const HOST = `Host: x${EOL}`;

const post = (fields: string, body = "") => `POST /a HTTP/1.1${EOL}${HOST}${fields}${EOL}${body}`;
const get = (fields: string, target = "/a") => `GET ${target} HTTP/1.1${EOL}${HOST}${fields}${EOL}`;
const h2c = `Connection: upgrade, http2-settings${EOL}Upgrade: h2c${EOL}HTTP2-Settings: AA${EOL}`;
const chunked = `Transfer-Encoding: chunked${EOL}`;

/** Refused: nothing of the connection from here on reaches the origin. */
const refused = (name: string, bytes: string): Payload => ({ name, bytes: bytes + SMUGGLED, reach: [] });
/** Taken, and what follows it is its own request. */
const taken = (name: string, bytes: string, ...reach: string[]): Payload => ({ name, bytes, reach });

const FRAMINGS: readonly (readonly [string, string, string])[] = [
  ["CL then TE", `Content-Length: 4${EOL}${chunked}`, `0${EOL}${EOL}`],
  ["TE then CL", `${chunked}Content-Length: 4${EOL}`, `0${EOL}${EOL}`],
  ["CL.TE classic", `Content-Length: 6${EOL}${chunked}`, `0${EOL}${EOL}G`],
  ["two equal CL", `Content-Length: 3${EOL}Content-Length: 3${EOL}`, "abc"],
  ["two different CL", `Content-Length: 3${EOL}Content-Length: 0${EOL}`, "abc"],
  ["two CL by case", `Content-Length: 3${EOL}content-length: 0${EOL}`, "abc"],
  ["CL list", `Content-Length: 3, 3${EOL}`, "abc"],
  ["CL with plus", `Content-Length: +3${EOL}`, "abc"],
  ["CL negative", `Content-Length: -3${EOL}`, "abc"],
  ["CL hex", `Content-Length: 0x3${EOL}`, "abc"],
  ["CL float", `Content-Length: 3.0${EOL}`, "abc"],
  ["CL exponent", `Content-Length: 3e0${EOL}`, "abc"],
  ["CL underscore digits", `Content-Length: 1_0${EOL}`, "abcabcabca"],
  ["CL empty", `Content-Length:${EOL}`, ""],
  ["CL text", `Content-Length: abc${EOL}`, ""],
  ["CL trailing text", `Content-Length: 3 a${EOL}`, "abc"],
  ["CL over 2^64", `Content-Length: 18446744073709551619${EOL}`, "abc"],
  ["CL over 2^53", `Content-Length: 99999999999999999999${EOL}`, "abc"],
  ["CL space before colon", `Content-Length : 3${EOL}`, "abc"],
  ["CL tab before colon", `Content-Length\t: 3${EOL}`, "abc"],
  ["CL folded", `Content-Length:${EOL} 3${EOL}`, "abc"],
  ["CL quoted", `Content-Length: "3"${EOL}`, "abc"],
  ["CL with NUL", `Content-Length: 3\0${EOL}`, "abc"],
  ["CL vertical tab", `Content-Length: \x0b3${EOL}`, "abc"],
  ["TE twice", `${chunked}${chunked}`, `0${EOL}${EOL}`],
  ["TE then identity", `${chunked}Transfer-Encoding: identity${EOL}`, `0${EOL}${EOL}`],
  ["TE identity", `Transfer-Encoding: identity${EOL}`, ""],
  ["TE gzip", `Transfer-Encoding: gzip${EOL}`, ""],
  ["TE gzip, chunked", `Transfer-Encoding: gzip, chunked${EOL}`, `0${EOL}${EOL}`],
  ["TE chunked, identity", `Transfer-Encoding: chunked, identity${EOL}`, `0${EOL}${EOL}`],
  ["TE chunked, chunked", `Transfer-Encoding: chunked, chunked${EOL}`, `0${EOL}${EOL}`],
  ["TE xchunked", `Transfer-Encoding: xchunked${EOL}`, `0${EOL}${EOL}`],
  ["TE chunkedx", `Transfer-Encoding: chunkedx${EOL}`, `0${EOL}${EOL}`],
  ["TE quoted", `Transfer-Encoding: "chunked"${EOL}`, `0${EOL}${EOL}`],
  ["TE with parameter", `Transfer-Encoding: chunked;q=1${EOL}`, `0${EOL}${EOL}`],
  ["TE vertical tab", `Transfer-Encoding: \x0bchunked${EOL}`, `0${EOL}${EOL}`],
  ["TE NUL", `Transfer-Encoding: chunked\0${EOL}`, `0${EOL}${EOL}`],
  ["TE space before colon", `Transfer-Encoding : chunked${EOL}`, `0${EOL}${EOL}`],
  ["TE folded", `Transfer-Encoding:${EOL} chunked${EOL}`, `0${EOL}${EOL}`],
  ["TE empty", `Transfer-Encoding:${EOL}`, ""],
  ["TE comma", `Transfer-Encoding: ,chunked${EOL}`, `0${EOL}${EOL}`],
  ["TE high byte", `Transfer-Encoding: \xffchunked${EOL}`, `0${EOL}${EOL}`],
  ["TE and bad CL", `${chunked}Content-Length: x${EOL}`, `0${EOL}${EOL}`],
  ["bare LF between fields", `A: b\nContent-Length: 3${EOL}`, "abc"],
  ["bare CR in a value", `A: b\rContent-Length: 3${EOL}`, "abc"],
  ["bare LF ends the section", "A: b\n\n", ""],
];

const CHUNKS: readonly (readonly [string, string])[] = [
  ["not hex", `zz${EOL}${EOL}`],
  ["negative", `-1${EOL}a${EOL}0${EOL}${EOL}`],
  ["plus", `+1${EOL}a${EOL}0${EOL}${EOL}`],
  ["0x", `0x1${EOL}a${EOL}0${EOL}${EOL}`],
  ["empty size", `${EOL}a${EOL}0${EOL}${EOL}`],
  ["space before size", ` 1${EOL}a${EOL}0${EOL}${EOL}`],
  ["space after size", `1 ${EOL}a${EOL}0${EOL}${EOL}`],
  ["tab after size", `1\t${EOL}a${EOL}0${EOL}${EOL}`],
  ["LF after size", `1\na${EOL}0${EOL}${EOL}`],
  ["LF after data", `1${EOL}a\n0${EOL}${EOL}`],
  ["CR after size", `1\ra${EOL}0${EOL}${EOL}`],
  ["LF only", "1\na\n0\n\n"],
  ["data longer than size", `1${EOL}ab${EOL}0${EOL}${EOL}`],
  ["data shorter than size", `9${EOL}a${EOL}0${EOL}${EOL}`.padEnd(8, "!")],
  ["no CRLF after data", `1${EOL}a0${EOL}${EOL}`],
  ["overflow", `10000000000000001${EOL}a${EOL}0${EOL}${EOL}`],
  ["underscore", `1_0${EOL}aaaaaaaaaaaaaaaa${EOL}0${EOL}${EOL}`],
  ["comma", `1,1${EOL}a${EOL}0${EOL}${EOL}`],
  ["NUL", `1\0${EOL}a${EOL}0${EOL}${EOL}`],
  ["LF in extension", `1;a\nb${EOL}a${EOL}0${EOL}${EOL}`],
  ["CR in extension", `1;a\rb${EOL}a${EOL}0${EOL}${EOL}`],
  ["LF after last size", `1${EOL}a${EOL}0\n${EOL}`],
  ["LF ends the trailers", `1${EOL}a${EOL}0${EOL}\n`],
  ["bad trailer", `1${EOL}a${EOL}0${EOL}bad trailer${EOL}${EOL}`],
  ["trailer with space", `1${EOL}a${EOL}0${EOL}A : b${EOL}${EOL}`],
  ["trailer Content-Length", `1${EOL}a${EOL}0${EOL}Content-Length: 5${EOL}${EOL}`],
];

const FIELDS: readonly (readonly [string, string])[] = [
  ["obs-fold with space", `A: b${EOL} c${EOL}`],
  ["obs-fold with tab", `A: b${EOL}\tc${EOL}`],
  ["NUL in value", `A: b\0c${EOL}`],
  ["control in value", `A: b\x01c${EOL}`],
  ["escape in value", `A: \x1b[2J${EOL}`],
  ["DEL in value", `A: b\x7fc${EOL}`],
  ["space in name", `A b: c${EOL}`],
  ["space before colon", `A : c${EOL}`],
  ["leading space", ` A: c${EOL}`],
  ["no colon", `Abc${EOL}`],
  ["empty name", `: c${EOL}`],
  ["high byte in name", `\xe9: c${EOL}`],
  ["slash in name", `A/b: c${EOL}`],
  ["at in name", `A@b: c${EOL}`],
  ["bracket in name", `A[b]: c${EOL}`],
  ["NUL in name", `A\0b: c${EOL}`],
  ["second Host", `Host: y${EOL}`],
  ["second equal Host", `host: x${EOL}`],
  ["Host by space", `Host : y${EOL}`],
  ["Upgrade websocket", `Connection: upgrade${EOL}Upgrade: websocket${EOL}`],
  ["two units", `x-user-id: a${EOL}X-User-Id: b${EOL}`],
  ["too many fields", `A: b${EOL}`.repeat(120)],
  ["too large", `A: ${"b".repeat(20_000)}${EOL}`],
];

const TARGETS: readonly string[] = [
  "/a b",
  "/a\tb",
  "/a\0b",
  "/a\x7fb",
  "/a\x0bb",
  "/a#b",
  "/a\\b",
  "/\xc3\xa9",
  "a",
  "*",
  "//\\x",
  "http://y/a",
  "http://x@y/a",
  "http://x:1/a",
  "http:///a",
  "https://y/a",
  "ftp://x/a",
  "http:/x/a",
  "x:80",
  "",
];

const LINES: readonly (readonly [string, string])[] = [
  ["HTTP/0.9", `GET /a${EOL}`],
  ["HTTP/0.9 with version", `GET /a HTTP/0.9${EOL}${HOST}${EOL}`],
  ["HTTP/1.2", `GET /a HTTP/1.2${EOL}${HOST}${EOL}`],
  ["HTTP/1.10", `GET /a HTTP/1.10${EOL}${HOST}${EOL}`],
  ["HTTP/2.0", `GET /a HTTP/2.0${EOL}${HOST}${EOL}`],
  ["HTTP/11", `GET /a HTTP/11${EOL}${HOST}${EOL}`],
  ["lower-case http", `GET /a http/1.1${EOL}${HOST}${EOL}`],
  ["tabs", `GET\t/a\tHTTP/1.1${EOL}${HOST}${EOL}`],
  ["two spaces", `GET /a  HTTP/1.1x${EOL}${HOST}${EOL}`],
  ["lower-case method", `get /a HTTP/1.1${EOL}${HOST}${EOL}`],
  ["unknown method", `FOO /a HTTP/1.1${EOL}${HOST}${EOL}`],
  ["TRACE", `TRACE /a HTTP/1.1${EOL}${HOST}${EOL}`],
  ["CONNECT", `CONNECT x:80 HTTP/1.1${EOL}${HOST}${EOL}`],
  ["no Host", `GET /a HTTP/1.1${EOL}${EOL}`],
  ["LF after the line", `GET /a HTTP/1.1\n${HOST}${EOL}`],
  ["chunked in HTTP/1.0", `POST /a HTTP/1.0${EOL}${HOST}${chunked}${EOL}0${EOL}${EOL}`],
  ["HTTP/2 preface", `PRI * HTTP/2.0${EOL}${EOL}SM${EOL}${EOL}`],
  ["TLS hello", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"],
];

const ACCEPTED: readonly Payload[] = [
  taken("plain", get(""), "GET /a"),
  taken("two pipelined", get("") + get("", "/b"), "GET /a", "GET /b"),
  taken("length, then next", post(`Content-Length: 3${EOL}`, "abc") + get("", "/b"), "POST /a", "GET /b"),
  taken("length 0, then next", post(`Content-Length: 0${EOL}`) + get("", "/b"), "POST /a", "GET /b"),
  taken("leading zeros", post(`Content-Length: 003${EOL}`, "abc") + get("", "/b"), "POST /a", "GET /b"),
  taken("chunked, then next", post(chunked, `3${EOL}abc${EOL}0${EOL}${EOL}`) + get("", "/b"), "POST /a", "GET /b"),
  taken(
    "Chunked by case",
    post(`TRANSFER-ENCODING: Chunked${EOL}`, `0${EOL}${EOL}`) + get("", "/b"),
    "POST /a",
    "GET /b",
  ),
  taken("chunk extension", post(chunked, `3;a=b${EOL}abc${EOL}0${EOL}${EOL}`) + get("", "/b"), "POST /a", "GET /b"),
  taken(
    "trailers",
    post(chunked, `1${EOL}a${EOL}0${EOL}x-exp: candidate${EOL}${EOL}`) + get("", "/b"),
    "POST /a",
    "GET /b",
  ),
  taken("a request inside a body", post(`Content-Length: ${SMUGGLED.length}${EOL}`, SMUGGLED), "POST /a"),
  taken(
    "a request inside a chunk",
    post(chunked, `${SMUGGLED.length.toString(16)}${EOL}${SMUGGLED}${EOL}0${EOL}${EOL}`),
    "POST /a",
  ),
  taken("a request inside a GET body", get(`Content-Length: ${SMUGGLED.length}${EOL}`) + SMUGGLED, "GET /a"),
  taken("absolute form of the Host", get("", "http://x/a") + get("", "/b"), "GET /a", "GET /b"),
  taken("empty lines before", EOL + EOL + get(""), "GET /a"),
  taken("underscored length", get(`Content_Length: 40${EOL}`) + get("", "/b"), "GET /a", "GET /b"),
  taken("underscored coding", get(`Transfer_Encoding: chunked${EOL}`) + get("", "/b"), "GET /a", "GET /b"),
  taken(
    "length named by Connection",
    post(`Connection: content-length${EOL}Content-Length: 3${EOL}`, "abc") + get("", "/b"),
    "POST /a",
    "GET /b",
  ),
  taken(
    "coding named by Connection",
    post(`Connection: transfer-encoding${EOL}${chunked}`, `0${EOL}${EOL}`) + get("", "/b"),
    "POST /a",
    "GET /b",
  ),
  taken("HTTP/2 offered, then next", get(h2c) + get("", "/b"), "GET /a", "GET /b"),
  taken("HTTP/2 offered twice, then next", get(h2c) + get(h2c, "/b") + get("", "/c"), "GET /a", "GET /b", "GET /c"),
  taken(
    "HTTP/2 offered with a body, then next",
    post(`${h2c}Content-Length: 3${EOL}`, "abc") + get("", "/b"),
    "POST /a",
    "GET /b",
  ),
  taken(
    "HTTP/2 offered with chunks, then next",
    post(h2c + chunked, `3${EOL}abc${EOL}0${EOL}${EOL}`) + get("", "/b"),
    "POST /a",
    "GET /b",
  ),
  taken("CONNECT behind", get("") + `CONNECT x:80 HTTP/1.1${EOL}${HOST}${EOL}${SMUGGLED}`, "GET /a"),
  taken("CONNECT behind HTTP/2 offered", get(h2c) + `CONNECT x:80 HTTP/1.1${EOL}${HOST}${EOL}${SMUGGLED}`, "GET /a"),
  taken("TRACE behind", get("") + `TRACE /b HTTP/1.1${EOL}${HOST}${EOL}${SMUGGLED}`, "GET /a"),
  taken("nonsense behind", `${get("")}nonsense${EOL}${EOL}${SMUGGLED}`, "GET /a"),
  taken("good, then bad", get("") + post(`Content-Length: 3${EOL}${chunked}`, "abc") + SMUGGLED, "GET /a"),
  taken("TE trailers offered", get(`TE: trailers, chunked${EOL}`), "GET /a"),
  taken("keep-alive 1.0", `GET /a HTTP/1.0${EOL}Connection: keep-alive${EOL}${EOL}`, "GET /a"),
  {
    name: "length in two pieces",
    bytes: [post(`Content-Length: 6${EOL}`, "abc"), `def${get("", "/b")}`],
    reach: ["POST /a", "GET /b"],
  },
];

/** Every payload of the corpus. */
export const CORPUS: readonly Payload[] = [
  ...FRAMINGS.map(([name, fields, body]) => refused(`framing: ${name}`, post(fields, body))),
  ...CHUNKS.map(([name, body]) => refused(`chunk: ${name}`, post(chunked, body))),
  ...FIELDS.map(([name, fields]) => refused(`field: ${name}`, get(fields))),
  ...TARGETS.map((target) => refused(`target: ${JSON.stringify(target)}`, get("", target))),
  ...LINES.map(([name, bytes]) => refused(`line: ${name}`, bytes)),
  ...ACCEPTED,
];
