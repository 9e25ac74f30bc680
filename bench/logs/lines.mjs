// Requests from a seed, and the line that each product's access log has of one, as docs/access-logs.md
// sets it up.

/** A fast seeded generator of numbers in [0, 1). @source G. Marsaglia, "Xorshift RNGs", J. Stat. Softw. 8 (2003) */
function uniform(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Half of the requests go to each arm; both fail alike, and `slow` is the candidate's latency factor. */
export function* requests({ count, seed = 7, perSecond = 200, startMs = 1_756_339_200_000, slow = 1, errors = 0.005 }) {
  const random = uniform(seed);
  for (let i = 0; i < count; i++) {
    const arm = random() < 0.5 ? "candidate" : "stable";
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const ms = Math.round(200 * Math.exp(0.4 * normal) * (arm === "candidate" ? slow : 1));
    const status = random() < errors ? 503 : 200;
    yield { i, arm, status, ms, atMs: startMs + Math.floor((i * 1_000) / perSecond), hit: random() < 0.4 };
  }
}

const iso = (ms) => new Date(ms).toISOString();
const id = (i) => i.toString(16).padStart(32, "0");
const AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36";
const CLOUDFRONT = [
  ..."date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer)".split(" "),
  ..."cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header".split(" "),
  ..."cs-protocol cs-bytes time-taken timestamp(ms)".split(" "),
];

const wide = ({ i, arm, status, ms, atMs, hit }) =>
  JSON.stringify({ ts: iso(atMs), arm, status, latency_ms: { tfinal: ms }, cache: { hit }, event_id: id(i) });

const nginx = ({ i, arm, status, ms, atMs, hit }) =>
  `{"time_iso8601":"${iso(atMs).replace(/\.\d+Z/, "+00:00")}","msec":"${(atMs / 1e3).toFixed(3)}","remote_addr":"10.0.0.7","request":"POST /answer HTTP/1.1","status":"${status}","body_bytes_sent":"1822","request_time":"${(ms / 1e3).toFixed(3)}","upstream_response_time":"${(ms / 1e3).toFixed(3)}","upstream_cache_status":"${hit ? "HIT" : "MISS"}","upstream_http_x_sluice_arm":"${arm}","request_id":"${id(i)}","http_user_agent":"${AGENT}"}`;

const haproxy = ({ i, arm, status, ms, atMs }) =>
  `{"ts":${atMs},"client":"10.0.0.7","backend":"rag","arm":"${arm}","server":"rag-${arm}","status":${status},"Tr":${ms},"Ta":${ms},"bytes":1822,"tsc":"----","ID":"${id(i)}","method":"POST","uri":"/answer"}`;

const envoy = ({ i, arm, status, ms, atMs }) =>
  `{"common_properties":{"start_time":"${iso(atMs)}","time_to_last_downstream_tx_byte":"${(ms / 1e3).toFixed(3)}s","upstream_cluster":"${arm}","response_flags":{}},"protocol_version":"HTTP11","request":{"request_method":"POST","path":"/answer","request_id":"${id(i)}","user_agent":"${AGENT}"},"response":{"response_code":${status},"response_body_bytes":"1822"}}`;

const cloudfront = ({ i, arm, status, ms, atMs, hit }) => {
  const [date, time] = iso(atMs).slice(0, 19).split("T");
  const head = [date, time, "CDG50-P1", "1822", "10.0.0.7", "POST", "d111.cloudfront.net", "/answer", status, "-"];
  const tail = ["https", "900", (ms / 1e3).toFixed(3), atMs];
  return [...head, "Mozilla/5.0", "-", "-", hit ? "Hit" : "Miss", id(i), arm, ...tail].join("\t");
};

const alb = ({ i, arm, status, ms, atMs }) =>
  `https ${iso(atMs)} app/rag/50dc6c495c0c9188 10.0.0.7:2817 10.0.1.4:80 0.000 ${(ms / 1e3).toFixed(3)} 0.000 ${status} ${status} 900 1822 "POST https://rag.example:443/answer HTTP/1.1" "${AGENT}" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/${arm}/73e2d6bc24d8a067 "Root=1-${id(i)}" "rag.example" "session-reused" 0 ${iso(atMs)} "forward" "-" "-" "10.0.1.4:80" "${status}" "-" "-"`;

const attribute = (key, value) => `{"key":"${key}","value":${value}}`;
const otlp = ({ i, arm, status, ms, atMs }) =>
  `{"resourceSpans":[{"resource":{"attributes":[${attribute("service.name", '{"stringValue":"rag"}')},${attribute("sluice.arm", `{"stringValue":"${arm}"}`)}]},"scopeSpans":[{"scope":{"name":"http"},"spans":[{"traceId":"${id(i)}","spanId":"${id(i).slice(16)}","name":"POST /answer","kind":2,"startTimeUnixNano":"${atMs - ms}000000","endTimeUnixNano":"${atMs}000000","attributes":[${attribute("http.request.method", '{"stringValue":"POST"}')},${attribute("http.response.status_code", `{"intValue":"${status}"}`)}],"status":{}}]}]}]}`;

const vercel = ({ i, arm, status, atMs, hit }) =>
  `{"id":"${i}","deploymentId":"${arm}","source":"lambda","host":"rag.example","timestamp":${atMs},"projectId":"p1","type":"stdout","requestId":"${id(i)}","proxy":{"timestamp":${atMs},"method":"POST","host":"rag.example","path":"/answer","statusCode":${status},"userAgent":["${AGENT}"],"region":"cdg1","vercelId":"cdg1::${id(i)}","vercelCache":"${hit ? "HIT" : "MISS"}"}}`;

const cloudflare = ({ i, arm, status, ms, atMs, hit }) =>
  `{"ClientRequestHost":"rag.example","ClientRequestMethod":"POST","ClientRequestURI":"/answer","EdgeStartTimestamp":"${iso(atMs - ms)}","EdgeEndTimestamp":"${iso(atMs)}","EdgeResponseStatus":${status},"OriginResponseStatus":${status},"OriginResponseDurationMs":${ms},"CacheCacheStatus":"${hit ? "hit" : "miss"}","RayID":"${id(i)}","ResponseHeaders":{"x-sluice-arm":"${arm}"},"ClientRequestUserAgent":"${AGENT}"}`;

/** The log of each product as its lines; the first line of some is a header. `events` is the product's own. */
export const LOGS = {
  events: { lineOf: wide, header: null, isJson: true, hasLatency: true },
  nginx: { lineOf: nginx, header: null, isJson: true, hasLatency: true },
  haproxy: { lineOf: haproxy, header: null, isJson: true, hasLatency: true },
  envoy: { lineOf: envoy, header: null, isJson: true, hasLatency: true },
  cloudfront: {
    lineOf: cloudfront,
    header: `#Version: 1.0\n#Fields: ${CLOUDFRONT.join(" ")}`,
    isJson: false,
    hasLatency: true,
  },
  alb: { lineOf: alb, header: null, isJson: false, hasLatency: true },
  otlp: { lineOf: otlp, header: null, isJson: true, hasLatency: true },
  vercel: { lineOf: vercel, header: null, isJson: true, hasLatency: false },
  cloudflare: { lineOf: cloudflare, header: null, isJson: true, hasLatency: true },
};
