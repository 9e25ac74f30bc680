import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CachedEntry } from "../../../../src/ports/cache.ts";
import { freePort } from "../../../free-port.ts";

const PROGRAM = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/bin/nginx"].find(existsSync);

export function hasNginx(): boolean {
  if (PROGRAM !== undefined) return true;
  if (process.env["CI"]) throw new Error("nginx is not installed; in CI it must be");
  console.warn("skipped: nginx is not installed");
  return false;
}

/** A service, and nginx in front of it that caches what it answers. */
export interface NginxServer {
  readonly url: string;
  readonly folder: string;
  /** What the service says of itself from now on; how often it was asked so far. */
  readonly service: { entry: CachedEntry; asked: number };
  stop(): Promise<void>;
}

export async function startNginx(): Promise<NginxServer> {
  const home = mkdtempSync(join(tmpdir(), "cache-nginx-"));
  const [folder, port] = [join(home, "answers"), await freePort()];
  mkdirSync(folder);
  const service = { entry: { writtenBy: null, question: null } as CachedEntry, asked: 0 };
  const origin = createServer((_request, response) => {
    service.asked++;
    const { writtenBy, question } = service.entry;
    if (writtenBy !== null) response.setHeader("x-written-by", writtenBy);
    if (question !== null) response.setHeader("x-question", encodeURIComponent(question));
    response.setHeader("cache-control", "max-age=3600").end("answer");
  });
  await once(origin.listen(0, "127.0.0.1"), "listening");
  const config = `${process.getuid?.() === 0 ? "user root;" : ""}
    daemon off; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log;
    events { worker_connections 512; }
    http {
      access_log off; client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy;
      fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
      proxy_cache_path ${folder} levels=1:2 keys_zone=answers:10m use_temp_path=off inactive=1h;
      upstream origin { server 127.0.0.1:${(origin.address() as AddressInfo).port}; keepalive 16; }
      server {
        listen 127.0.0.1:${port}; keepalive_requests 1000000;
        location / {
          proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
          proxy_cache answers; proxy_cache_key $http_x_cache_namespace$request_uri;
          add_header x-cache $upstream_cache_status;
        }
      }
    }`;
  writeFileSync(join(home, "nginx.conf"), config);
  const child = spawn(PROGRAM as string, ["-p", home, "-c", join(home, "nginx.conf")], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    if ((await fetch(`${url}/ready`).catch(() => null))?.ok === true) break;
    if (child.exitCode !== null || tries > 200) throw new Error(`nginx did not start: see ${home}/error.log`);
    await sleep(50);
  }
  return {
    url,
    folder,
    service,
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      origin.closeAllConnections();
      origin.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
