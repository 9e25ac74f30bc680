// Requests from a seed, and the line that each product's access log has of one: its usual record, whole, with what
// docs/access-logs.md adds to it.

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

/** As `sluice gateway --events` writes it of a service that says what of its answer costs time, and its cache. */
const wide = ({ i, arm, status, ms, atMs, hit }) => {
  const isFailed = status >= 500;
  return JSON.stringify({
    ts: iso(atMs),
    route: "rag",
    release_id: arm === "candidate" ? "rag-42" : "rag-41",
    revision: "2026-11-20",
    variant: arm,
    arm,
    sticky: `h${(i * 7_919) % 10_000}`,
    region: "eu-west-1",
    edge_pop: null,
    cold_start: false,
    probe: false,
    status,
    ...(isFailed ? { error_class: { stage: "headers", family: "5xx", code: String(status) } } : {}),
    timeout_stage: null,
    latency_ms: { ttfb: ms - 1.5, tusable: ms - 1.25, tfinal: ms, retrieve: 31, rerank: 12, reason: null },
    retrieval: {
      k: 10,
      metric: "cosine",
      analyzer: "en-v3",
      index_hash: "sha256:9f3a2c11d04e8b7766a1",
      delta_s_q_r: 0.31,
      delta_s_r_anchor: null,
      coverage: 0.93,
      lambda_state: "→",
    },
    cache: { prefix: "rag-42.1:", hit, written_by: null },
    egress: { webhook: null, tries: null, dedupe_key: null },
    queue: { enq: null, deq: null, backlog: null, age_p95_ms: null },
    event_id: id(i),
  });
};

/** `escape=json` over the fields of nginx's `combined`, its times, its upstream and the request's id. */
const nginx = ({ i, arm, status, ms, atMs, hit }) =>
  `{"time_iso8601":"${iso(atMs).replace(/\.\d+Z/, "+00:00")}","msec":"${(atMs / 1e3).toFixed(3)}","remote_addr":"10.0.0.7","remote_user":"","request":"POST /answer HTTP/1.1","status":"${status}","body_bytes_sent":"1822","request_length":"901","http_referer":"","http_user_agent":"${AGENT}","http_x_forwarded_for":"203.0.113.9","host":"rag.example","request_time":"${(ms / 1e3).toFixed(3)}","upstream_addr":"10.0.1.4:80","upstream_status":"${status}","upstream_connect_time":"0.001","upstream_header_time":"${(ms / 1e3).toFixed(3)}","upstream_response_time":"${(ms / 1e3).toFixed(3)}","upstream_cache_status":"${hit ? "HIT" : "MISS"}","upstream_http_x_sluice_arm":"${arm}","request_id":"${id(i)}","ssl_protocol":"TLSv1.3"}`;

/** The fields of HAProxy's `option httplog`, under the names of its variables. */
const haproxy = ({ i, arm, status, ms, atMs }) =>
  `{"ts":${atMs},"ci":"10.0.0.7","cp":2817,"ft":"https-in~","b":"rag","s":"rag-${arm}","arm":"${arm}","TR":0,"Tw":0,"Tc":1,"Tr":${ms},"Ta":${ms},"ST":${status},"B":1822,"CC":"-","CS":"-","tsc":"----","ac":12,"fc":12,"bc":9,"sc":4,"rc":0,"sq":0,"bq":0,"hr":"{rag.example|${AGENT}}","hs":"{application/json}","r":"POST /answer HTTP/1.1","ID":"${id(i)}"}`;

const address = (name, ip, port) => `"${name}":{"socket_address":{"address":"${ip}","port_value":${port}}}`;
const envoy = ({ i, arm, status, ms, atMs }) => {
  const took = `${(ms / 1e3).toFixed(3)}s`;
  const peers = `${address("downstream_remote_address", "10.0.0.7", 2817)},${address("downstream_local_address", "10.0.0.2", 443)}`;
  const times = `"start_time":"${iso(atMs)}","time_to_last_rx_byte":"0.001s","time_to_first_upstream_tx_byte":"0.002s","time_to_last_upstream_tx_byte":"0.002s","time_to_first_upstream_rx_byte":"${took}","time_to_last_upstream_rx_byte":"${took}","time_to_first_downstream_tx_byte":"${took}","time_to_last_downstream_tx_byte":"${took}"`;
  const upstream = `${address("upstream_remote_address", "10.0.1.4", 80)},${address("upstream_local_address", "10.0.0.2", 41822)},"upstream_cluster":"${arm}"`;
  const request = `"request_method":"POST","scheme":"https","authority":"rag.example","path":"/answer","user_agent":"${AGENT}","forwarded_for":"203.0.113.9","request_id":"${id(i)}","request_headers_bytes":"812","request_body_bytes":"89"`;
  return `{"common_properties":{"sample_rate":1,${peers},${times},${upstream},"response_flags":{},"route_name":"rag"},"protocol_version":"HTTP11","request":{${request}},"response":{"response_code":${status},"response_headers_bytes":"211","response_body_bytes":"1822","response_code_details":"via_upstream"}}`;
};

const cloudfront = ({ i, arm, status, ms, atMs, hit }) => {
  const [date, time] = iso(atMs).slice(0, 19).split("T");
  const head = [date, time, "CDG50-P1", "1822", "10.0.0.7", "POST", "d111.cloudfront.net", "/answer", status, "-"];
  const tail = ["https", "900", (ms / 1e3).toFixed(3), atMs];
  return [...head, "Mozilla/5.0", "-", "-", hit ? "Hit" : "Miss", id(i), arm, ...tail].join("\t");
};

const alb = ({ i, arm, status, ms, atMs }) =>
  `https ${iso(atMs)} app/rag/50dc6c495c0c9188 10.0.0.7:2817 10.0.1.4:80 0.000 ${(ms / 1e3).toFixed(3)} 0.000 ${status} ${status} 900 1822 "POST https://rag.example:443/answer HTTP/1.1" "${AGENT}" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/${arm}/73e2d6bc24d8a067 "Root=1-${id(i)}" "rag.example" "session-reused" 0 ${iso(atMs)} "forward" "-" "-" "10.0.1.4:80" "${status}" "-" "-"`;

const attribute = (key, value) => `{"key":"${key}","value":${value}}`;
const text = (key, value) => attribute(key, `{"stringValue":"${value}"}`);
const whole = (key, value) => attribute(key, `{"intValue":"${value}"}`);
/** What an SDK says of itself and its host. */
const RESOURCE = [
  text("service.name", "rag"),
  text("service.instance.id", "627cc493-f310-47de-96bd-71410b7dec09"),
  text("telemetry.sdk.name", "opentelemetry"),
  text("telemetry.sdk.language", "nodejs"),
  text("telemetry.sdk.version", "2.2.0"),
  text("host.name", "rag-7d9f"),
  whole("process.pid", 17),
  text("deployment.environment.name", "production"),
].join(",");
/** A server's span with the attributes that the semantic conventions of HTTP require and recommend. */
const otlp = ({ i, arm, status, ms, atMs }) => {
  const said = [
    text("http.request.method", "POST"),
    text("url.scheme", "https"),
    text("url.path", "/answer"),
    text("http.route", "/answer"),
    text("server.address", "rag.example"),
    whole("server.port", 443),
    text("client.address", "203.0.113.9"),
    text("network.peer.address", "10.0.0.7"),
    text("network.protocol.version", "1.1"),
    text("user_agent.original", AGENT),
    whole("http.response.status_code", status),
  ].join(",");
  return `{"resourceSpans":[{"resource":{"attributes":[${RESOURCE},${text("sluice.arm", arm)}]},"scopeSpans":[{"scope":{"name":"@opentelemetry/instrumentation-http","version":"0.208.0"},"spans":[{"traceId":"${id(i)}","spanId":"${id(i).slice(16)}","name":"POST /answer","kind":2,"startTimeUnixNano":"${atMs - ms}000000","endTimeUnixNano":"${atMs}000000","attributes":[${said}],"droppedAttributesCount":0,"events":[],"droppedEventsCount":0,"status":{"code":0},"links":[],"droppedLinksCount":0}]}]}]}`;
};

const vercel = ({ i, arm, status, atMs, hit }) =>
  `{"id":"${i}","deploymentId":"${arm}","source":"lambda","host":"rag.example","timestamp":${atMs},"projectId":"p1","type":"stdout","requestId":"${id(i)}","proxy":{"timestamp":${atMs},"method":"POST","host":"rag.example","path":"/answer","statusCode":${status},"userAgent":["${AGENT}"],"referer":"https://rag.example/","region":"cdg1","clientIp":"203.0.113.9","scheme":"https","vercelId":"cdg1::${id(i)}","vercelCache":"${hit ? "HIT" : "MISS"}"},"environment":"production","executionRegion":"cdg1","level":"info","message":"","statusCode":${status},"path":"/answer","projectName":"rag"}`;

const cloudflare = ({ i, arm, status, ms, atMs, hit }) =>
  `{"ClientASN":64500,"ClientCountry":"fr","ClientDeviceType":"desktop","ClientIP":"203.0.113.9","ClientRequestBytes":901,"ClientRequestHost":"rag.example","ClientRequestMethod":"POST","ClientRequestPath":"/answer","ClientRequestProtocol":"HTTP/2","ClientRequestReferer":"","ClientRequestScheme":"https","ClientRequestURI":"/answer","ClientRequestUserAgent":"${AGENT}","ClientSSLProtocol":"TLSv1.3","ClientSrcPort":2817,"EdgeColoCode":"CDG","EdgeStartTimestamp":"${iso(atMs - ms)}","EdgeEndTimestamp":"${iso(atMs)}","EdgeResponseBytes":1822,"EdgeResponseContentType":"application/json","EdgeResponseStatus":${status},"EdgeServerIP":"198.51.100.4","OriginIP":"10.0.1.4","OriginResponseStatus":${status},"OriginResponseDurationMs":${ms},"CacheCacheStatus":"${hit ? "hit" : "miss"}","RayID":"${id(i)}","ResponseHeaders":{"x-sluice-arm":"${arm}"},"ZoneName":"example"}`;

/** The log of each product as its lines; the first line of some is a header. `events` is what our own gateway writes. */
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
