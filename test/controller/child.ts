import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { aManifest } from "./world.ts";

/** A controller in a process of its own. */
export interface ChildController {
  readonly child: ChildProcess;
  readonly url: string;
  readonly token: string;
  /** Everything it said on stderr so far. */
  said(): string;
}

/**
 * Starts a controller and waits until it listens; rejects with what it said when it ends before.
 * @param limit shell words in front of it, e.g. a `ulimit`
 * @param stallMs how long it may hang
 * @param store address of a server that keeps its store, and "over" to take it from a controller that may live
 */
export async function startChild(
  program: string,
  dataDir: string,
  port: number,
  limit = "",
  stallMs = 20_000,
  store: readonly string[] = [],
): Promise<ChildController> {
  const command = `${limit} exec "$0" "$@"`;
  const child = spawn(
    "/bin/bash",
    ["-c", command, process.execPath, program, dataDir, String(port), String(stallMs), ...store],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let [out, said] = ["", ""];
  child.stderr.on("data", (chunk) => {
    said += String(chunk);
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      out += String(chunk);
      if (out.includes("\n")) resolve(out.slice(0, out.indexOf("\n")));
    });
    child.once("exit", (code) => reject(new Error(`the controller ended with ${code}: ${said}`)));
  });
  const { url, tokenFile } = JSON.parse(line) as { url: string; tokenFile: string };
  return { child, url, token: readFileSync(tokenFile, "utf8").trim(), said: () => said };
}

/** Ends a process and tells its exit code; null when a signal ended it. */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
  return child.exitCode;
}

/** A fake service that answers its manifest on every path. */
export async function startHealth(): Promise<{ readonly server: Server; readonly url: string }> {
  const body = JSON.stringify({ ready: true, ...aManifest() });
  const server = createServer((_, response) => response.setHeader("content-type", "application/json").end(body));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
