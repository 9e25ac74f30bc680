// Configuration of the origin, of nginx as a peer, and of the load, written to a folder of this run.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ANSWER = `{"answer":"${"x".repeat(1_000)}"}`.replaceAll('"', '\\"');

function nginx(folder, name, http) {
  const path = join(folder, `${name}.conf`);
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${join(folder, `${name}-${kind}`)};`)
    .join(" ");
  writeFileSync(
    path,
    `worker_processes 1; daemon off; pid ${join(folder, `${name}.pid`)}; error_log stderr crit; worker_rlimit_nofile 16384;
events { worker_connections 12288; }
http { access_log off; keepalive_requests 100000000; keepalive_timeout 300s; default_type application/json; ${paths}
${http} }\n`,
  );
  return path;
}

/** Two services on one nginx, each with a 1 KB answer. */
export function originConfig(folder, ports) {
  const servers = ports.map(
    (port) => ` server { listen 127.0.0.1:${port} backlog=4096; location / { return 200 "${ANSWER}"; } }`,
  );
  return nginx(folder, "origin", servers.join("\n"));
}

/** nginx doing the same: a sticky 90/10 split by header and one added header. */
export function nginxConfig(folder, port, [stable, candidate]) {
  return nginx(
    folder,
    "peer",
    ` upstream stable { server 127.0.0.1:${stable}; keepalive 128; keepalive_requests 100000000; }
 upstream candidate { server 127.0.0.1:${candidate}; keepalive 128; keepalive_requests 100000000; }
 split_clients "s7$http_x_user_id" $arm { 10% candidate; * stable; }
 server { listen 127.0.0.1:${port} backlog=4096; proxy_http_version 1.1; proxy_set_header Connection "";
  proxy_set_header x-exp $arm; location / { proxy_pass http://$arm; } }`,
  );
}

/** nginx as a peer under hostile clients: patient for as long as the gateway is, and no answer spooled to the disk. */
export function hostileNginxConfig(folder, port, service) {
  return nginx(
    folder,
    "peer",
    ` upstream service { server 127.0.0.1:${service}; keepalive 128; keepalive_requests 100000000; }
 client_header_timeout 10s; client_body_timeout 60s; send_timeout 60s; client_max_body_size 64m;
 server { listen 127.0.0.1:${port} backlog=4096; proxy_http_version 1.1; proxy_set_header Connection "";
  proxy_max_temp_file_size 0; location / { proxy_pass http://service; } }`,
  );
}

/** 1 024 users, each sending a small question. */
export function loadScript(folder) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "load.lua");
  writeFileSync(
    path,
    `local requests, n = {}, 0
function init()
  math.randomseed(42)
  for i = 1, 1024 do
    requests[i] = "POST /v1/query HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nUser-Agent: wrk\\r\\nAccept: */*\\r\\nContent-Type: application/json\\r\\nx-user-id: user-" .. string.format("%015d", math.random(1, 2^31 - 1)) .. "\\r\\nContent-Length: 33\\r\\n\\r\\n{\\"q\\":\\"what is the refund window\\"}"
  end
end
function request() n = n % 1024 + 1; return requests[n] end
`,
  );
  return path;
}
