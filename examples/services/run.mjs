// Releases a new version of somebody else's service, from `sluice init` to promoted, for each folder beside this file:
//   node examples/services/run.mjs [NAME...]
// Everything runs on 127.0.0.1: two fakes of the service, a controller, a gateway, users. The secret of each run is a
// canary: the run fails when it appears in any output or in anything Sluice keeps.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";
import { goldSet, SECTIONS } from "./knowledge.mjs";
import { serve } from "./serve.mjs";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const HERE = fileURLToPath(new URL(".", import.meta.url));
const USERS_EVERY_MS = 50;
const USERS_AT_ONCE = 12;

/** A running `sluice`, with what it has said so far. */
function sluice(argv, env) {
  const child = spawn(process.execPath, [MAIN, ...argv], { env: { ...process.env, NO_COLOR: "1", ...env } });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].on("data", (chunk) => (said[name] += String(chunk)));
  const ended = once(child, "close").then(([code]) => ({ code, ...said }));
  const ready = new Promise((resolve, reject) => {
    child.stdout.on("data", () => {
      const [first = "", ...more] = said.stdout.split("\n");
      if (more.length > 0 && first.startsWith("{")) resolve(JSON.parse(first));
    });
    void ended.then(({ code, stderr }) => reject(new Error(`sluice ${argv[0]} ended with ${code}: ${stderr}`)));
  });
  ready.catch(() => {});
  return { child, said, ended, ready };
}

/** The document `init` wrote, with what a person would edit in it. */
async function edit(file, service, patch) {
  const document = parseDocument(await readFile(file, "utf8"));
  const spec = (...path) => ["spec", ...path];
  document.setIn(spec("route", "listen"), "127.0.0.1:0");
  document.setIn(spec("probes", "set"), "gold.jsonl");
  document.setIn(spec("probes", "map"), "map.yaml");
  const steps = [20, 50].map((weight) => ({ weight, hold: "2s", cap: "3m" }));
  document.setIn(spec("strategy"), { canary: { steps: [{ probes: true }, ...steps], watch: "1s" } });
  document.setIn(spec("gates"), [{ use: "demo" }]);
  const { probes = {}, health = null, ...rest } = patch;
  for (const [key, value] of Object.entries(probes)) document.setIn(spec("probes", key), value);
  for (const [key, value] of Object.entries(rest)) document.setIn(spec(key), value);
  for (const arm of document.hasIn(spec("startsFrom")) ? ["startsFrom", "candidate"] : ["stable", "candidate"]) {
    const origin = new URL(document.getIn(spec(arm, "url"))).origin;
    document.setIn(spec(arm, "health"), health === null ? null : `${origin}${health}`);
  }
  await writeFile(file, document.toString());
}

/** Sends users through the gateway until it is stopped. */
function sendUsers(url, service, secret) {
  const timer = setInterval(() => {
    for (let user = 0; user < USERS_AT_ONCE; user++) {
      const { question } = SECTIONS[Math.floor(Math.random() * SECTIONS.length)];
      const { method = "POST", query, body } = service.ask(question);
      const address = new URL(service.path, url);
      for (const [name, value] of Object.entries(query ?? {})) address.searchParams.set(name, value);
      const headers = {
        ...service.credentials(secret),
        "x-user-id": `reader-${Math.floor(Math.random() * 5_000)}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      };
      fetch(address, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
        .then((response) => response.arrayBuffer())
        .catch(() => {}); // A user whose answer is cut asks again; the gateway has counted it.
    }
  }, USERS_EVERY_MS);
  return () => clearInterval(timer);
}

/** Every file under a folder that holds a text. */
async function filesWith(folder, text) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = [];
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    if ((await readFile(path)).includes(text)) found.push(path);
  }
  return found;
}

async function release(name, log) {
  const service = await import(`./${name}/service.mjs`);
  const secret = `canary-${randomBytes(12).toString("hex")}`;
  const folder = await mkdtemp(join(tmpdir(), "sluice-service-"));
  const secretFolder = await mkdtemp(join(tmpdir(), "sluice-secret-"));
  const file = (path) => join(folder, path);
  const env = { LIBRARY_SECRET: secret };
  const arms = [await serve(service, secret), await serve(service, secret)];
  const running = [];
  const outputs = [];
  let stopUsers = () => {};
  const start = (...argv) => {
    const one = sluice(argv, env);
    running.push(one);
    return one;
  };
  const run = async (expected, ...argv) => {
    const result = await sluice(argv, env).ended;
    outputs.push(result.stdout, result.stderr);
    log(`$ sluice ${argv.map((word) => word.replace(folder, ".")).join(" ")}\n${result.stdout}${result.stderr}`);
    if (result.code !== expected)
      throw new Error(`${name}: sluice ${argv[0]} ended with ${result.code}: ${result.stderr}`);
    return result;
  };
  try {
    const [stable, candidate] = arms.map(({ origin }) => `${origin}${service.path}`);
    await run(0, "init", "--dir", folder, "--service", "library", "--stable", stable, "--candidate", candidate);
    await cp(join(HERE, name, "map.yaml"), file("map.yaml"));
    await writeFile(file("gold.jsonl"), goldSet());
    await writeFile(join(secretFolder, "token"), `${secret}\n`);
    const patch = (await readFile(join(HERE, name, "rollout.patch.yaml"), "utf8"))
      .replaceAll("@ORIGIN@", arms[0].origin)
      .replaceAll("@SECRET_FILE@", join(secretFolder, "token"));
    await edit(file("rollout.yaml"), service, parseDocument(patch).toJS());
    await run(0, "validate", file("rollout.yaml"));
    const data = file("data");
    const controller = start("serve", "--json", "--data", data, "--port", "0");
    await controller.ready;
    const gateway = start("gateway", file("rollout.yaml"), "--json", "--data", data);
    const { url } = await gateway.ready;
    await run(0, "doctor", file("rollout.yaml"), "--data", data);
    stopUsers = sendUsers(url, service, secret);
    await run(0, "apply", file("rollout.yaml"), "--watch", "--data", data);
    for (const command of ["status", "explain", "report"]) await run(0, command, "library-1", "--data", data);
    stopUsers();
    for (const one of running.toReversed()) {
      one.child.kill("SIGTERM");
      const { stdout, stderr } = await one.ended;
      outputs.push(stdout, stderr);
    }
    const leaks = [...(await filesWith(folder, secret)), ...outputs.filter((text) => text.includes(secret))];
    if (leaks.length > 0)
      throw new Error(`${name}: the secret appears in ${leaks.length} places: ${leaks[0]?.slice(0, 200)}`);
  } finally {
    stopUsers();
    for (const { child } of running) child.kill("SIGKILL");
    for (const arm of arms) await arm.close();
    await rm(folder, { recursive: true, force: true });
    await rm(secretFolder, { recursive: true, force: true });
  }
}

const entries = await readdir(HERE, { withFileTypes: true });
const known = entries
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();
const isVerbose = process.argv.includes("--verbose");
const asked = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no example is named ${unknown.join(", ")}; known: ${known.join(", ")}`);
  process.exit(2);
}
let failed = 0;
for (const name of asked.length === 0 ? known : asked) {
  const began = performance.now();
  try {
    await release(name, isVerbose ? (text) => console.error(text) : () => {});
    console.error(
      `✔ ${name}: promoted after ${((performance.now() - began) / 1_000).toFixed(0)} s; its secret appears nowhere`,
    );
  } catch (error) {
    failed++;
    console.error(`✘ ${error.message}`);
  }
}
process.exit(failed === 0 ? 0 : 1);
