// What a request costs in HAProxy: plain server weights, and our decision with its log line, in turn in one run.
//   npm run bench:haproxy [-- --rounds 8] [--seconds 4]
// The proxy has core 0; wrk, the service (nginx) and our agent share core 1. Processor time of the proxy a request, and
// what the agent beside it takes on top.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median, settle } from "../measure.mjs";
import { cpuUs, freePort, need, needBuild, start, wrk } from "../gateway/processes.mjs";

need("haproxy", "nginx", "wrk", "taskset");
needBuild();
const { values } = parseArgs({ options: { rounds: { type: "string" }, seconds: { type: "string" } } });
const [rounds, seconds] = [Number(values.rounds ?? 8), Number(values.seconds ?? 4)];
const RATIO_MAX = 1.2;
const SHARE_BP = 1_000;

spawnSync("taskset", ["-acp", "1", String(process.pid)]);
const { HaproxyAgent } = await import("../../dist/haproxy/agent.js");
const { systemClock, systemRandom } = await import("../../dist/fence/system.js");
const folder = mkdtempSync(join(tmpdir(), "sluice-bench-haproxy-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const [servicePort, plainPort, ourPort] = [await freePort(), await freePort(), await freePort()];
const load = join(folder, "load.lua");
writeFileSync(
  load,
  `local n = 0
request = function()
  n = n + 1
  return wrk.format("POST", "/v1/query", { ["x-user-id"] = "user-" .. (n % 5000), ["content-type"] = "application/json" }, '{"q":"what is new"}')
end`,
);
const nginx = join(folder, "nginx.conf");
writeFileSync(
  nginx,
  `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000; server { listen 127.0.0.1:${servicePort}; location / { return 200 '${"x".repeat(1_000)}'; } } }`,
);
const plain = join(folder, "plain.cfg");
writeFileSync(
  plain,
  `global
  nbthread 1
defaults
  mode http
  option http-no-delay
  timeout connect 3s
  timeout server 120s
  timeout client 120s
frontend f
  bind 127.0.0.1:${plainPort}
  default_backend b
backend b
  balance hdr(x-user-id)
  hash-type consistent
  server stable 127.0.0.1:${servicePort} weight 90
  server candidate 127.0.0.1:${servicePort} weight 10
`,
);
const service = await start(1, servicePort, "nginx", "-c", nginx);
const peer = await start(0, plainPort, "haproxy", "-db", "-f", plain);

const arm = (name) => ({ releaseId: name, endpoints: [`http://127.0.0.1:${servicePort}`], cachePrefix: `${name}:` });
const document = {
  version: 1,
  service: "bench",
  epoch: 1,
  seq: 1,
  rolloutId: "bench",
  arms: { stable: arm("r1"), candidate: arm("v2") },
  candidateBp: SHARE_BP,
  sticky: { hash: "v1", seed: 7, ttlMs: 60_000 },
  identity: { trustedHeaders: ["x-user-id"], stickyBy: ["x-user-id"] },
  allow: [],
  closed: [],
  drainMs: 1_000,
  issuedAt: Date.now(),
};
const agent = await HaproxyAgent.start({
  service: "bench",
  document,
  clock: systemClock,
  random: systemRandom,
  gatewayId: "bench",
  proxy: {
    runDir: folder,
    program: "haproxy",
    listen: { host: "127.0.0.1", port: ourPort },
    threads: 1,
    trustedProxies: [],
  },
});
const master = Number(readFileSync(join(folder, "haproxy.pid"), "utf8").trim().split("\n")[0]);
const [worker] = readFileSync(`/proc/${master}/task/${master}/children`, "utf8").trim().split(" ").map(Number);
for (const pid of [master, worker]) spawnSync("taskset", ["-acp", "0", String(pid)]);

const found = { plain: [], ours: [], agent: [], perSecond: { plain: [], ours: [] } };
let failed = 0;
async function row(name, port, pid) {
  const [before, own] = [cpuUs(pid), process.cpuUsage()];
  const { requests, perSecond, errors } = await wrk(1, port, 64, seconds, load);
  found[name].push((cpuUs(pid) - before) / requests);
  found.perSecond[name].push(perSecond);
  failed += errors;
  if (name !== "ours") return;
  const { user, system } = process.cpuUsage(own);
  found.agent.push((user + system) / requests);
}
try {
  for (const port of [plainPort, ourPort]) await wrk(1, port, 64, 2, load);
  for (let round = 0; round < rounds; round++) {
    const rows = [
      ["plain", plainPort, peer.pid],
      ["ours", ourPort, worker],
    ];
    for (const one of round % 2 === 0 ? rows : rows.reverse()) await row(...one);
  }
} finally {
  await agent.close();
  process.kill(master, "SIGTERM");
  await peer.stop();
  await service.stop();
}
const ratio = median(found.ours.map((us, at) => us / found.plain[at]));
const tell = (name) =>
  `${median(found[name]).toFixed(1)} us a request, ${Math.round(median(found.perSecond[name]))} a second`;
console.log(`HAProxy, server weights by a header's hash:  ${tell("plain")}`);
console.log(`HAProxy, our decision and log line:          ${tell("ours")}`);
console.log(`the agent beside it, on the other core:      ${median(found.agent).toFixed(1)} us a request`);
settle([
  {
    goal: `processor time of the proxy at most ${RATIO_MAX} times that of plain weights`,
    found: ratio.toFixed(3),
    met: ratio <= RATIO_MAX,
  },
  { goal: "no request fails", found: failed, met: failed === 0 },
]);
