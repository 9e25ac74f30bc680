import { dirname, resolve } from "node:path";
import type { DrillStatus } from "../../contract/drills.ts";
import { canonicalJson, type Json } from "../../core/canonical-json.ts";
import { blastRadius, type DrillPlan } from "../../core/drill/plan.ts";
import { buildDrillReport } from "../../core/drill/report.ts";
import { type DrillStep, stepsHome, stepsOut } from "../../core/drill/steps.ts";
import { printableLine } from "../../core/printable.ts";
import { readNamedFile, sha256Hex } from "../../host/named-file.ts";
import { planDrill, readDrill, type ReadDrill } from "../../spec/drill-document.ts";
import { formatDurationMs } from "../../spec/duration.ts";
import { describeProblem } from "../../spec/excerpt.ts";
import { isProblems } from "../../spec/read-rollout.ts";
import { CliError } from "../cli-error.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type DrillChain, drillHtml, drillMarkdown } from "../format/drill-report.ts";
import type { Terminal } from "../terminal.ts";

const LOOK_MS = 250;
const MARKS: Readonly<Record<DrillStatus["steps"][number]["state"], string>> = {
  waiting: "·",
  "in-force": "▶",
  done: "✓",
  "going-back": "◀",
  back: "-",
};

type Client = Pick<ControllerClient, "get" | "post">;

/** Reads a drill from disk; all its problems become one message and exit code 2. */
async function readFile(file: string): Promise<{ readonly read: ReadDrill; readonly text: string }> {
  const text = await readNamedFile(file, "the drill document");
  const read = readDrill(text);
  if (!isProblems(read)) return { read, text };
  const listed = read.map((problem) => describeProblem(problem, file, text)).join("\n");
  const count = `${read.length} ${read.length === 1 ? "problem" : "problems"} in ${file}`;
  throw new CliError(EXIT.badUsage, `${listed}\n${count}`);
}

/** Absolute place of the probe questions; null where the document names none. */
function setOf(read: ReadDrill, file: string): string | null {
  const set = read.kind === "document" ? read.document.spec.probes?.set : undefined;
  return set === undefined ? null : resolve(dirname(resolve(file)), set);
}

/** `sluice drill plan FILE`: each step with its bound and its way back, and how much is out of service at once. */
export async function drillPlan(file: string, { json }: { readonly json: boolean }, terminal: Terminal) {
  const { read, text } = await readFile(file);
  const documentDigest = `sha256:${sha256Hex(text)}`;
  const plan = planDrill(read, { generation: 1, documentDigest, set: setOf(read, file) });
  const ways = { out: stepsOut(plan).map(boundsOf(plan)), home: stepsHome(plan).map(boundsOf(plan)) };
  const { evacuate, survivor, times, routing, permission } = plan;
  if (json) {
    const bounds = { cutover_ms: times.cutoverMs, hysteresis_ms: routing.hysteresisMs };
    const radius = { regions_out_bp: blastRadius(plan), allowed_bp: permission.blastRadiusBp };
    terminal.data(JSON.stringify({ id: plan.drillId, evacuate, survivor, ...ways, ...bounds, blast_radius: radius }));
    return EXIT.ok;
  }
  terminal.say(`${plan.drillId}: ${evacuate} is left, ${survivor} takes its users and writes`);
  sayWay("out", ways.out, terminal);
  terminal.say(`  through within ${formatDurationMs(times.cutoverMs)} of the decision, else it is given up`);
  sayWay("home, after the way out or when it is given up", ways.home, terminal);
  const radius = `${blastRadius(plan) / 100} % of the regions out of service, ${permission.blastRadiusBp / 100} % allowed`;
  terminal.say(`  blast radius: every user of ${evacuate}; ${radius}`);
  terminal.say(`  approvals beside yours: ${permission.approvals}`);
  if (permission.schedule !== null) terminal.say(`  runs by itself: ${permission.schedule} (UTC)`);
  if (read.kind === "plan")
    terminal.say("  to run it, write it into a document of kind Drill with the places of its regions");
  return EXIT.ok;
}

const boundsOf =
  ({ times }: DrillPlan) =>
  ({ name, does, apply, undo }: DrillStep) => ({
    name,
    does,
    within_ms: times.stepWithinMs + apply.withinMs,
    undo: undo === null ? null : `${undo.port}.${undo.verb}`,
  });

function sayWay(title: string, steps: readonly ReturnType<ReturnType<typeof boundsOf>>[], terminal: Terminal): void {
  terminal.say(`  ${title}:`);
  for (const [place, { name, does, within_ms, undo }] of steps.entries()) {
    const back = undo === null ? "nothing to take back" : `back by ${undo}`;
    terminal.say(`  ${String(place + 1).padStart(2)} ${name.padEnd(18)} ${does}`);
    terminal.say(`     ${" ".repeat(18)} within ${formatDurationMs(within_ms)}; ${back}`);
  }
}

/** `sluice drill run FILE`: hands the document to the controller. */
export async function drillRun(
  file: string,
  options: { readonly json: boolean; readonly watch: boolean },
  client: Client,
  terminal: Terminal,
): Promise<ExitCode> {
  const { read, text } = await readFile(file);
  const set = setOf(read, file);
  const gold = set === null ? "" : `sha256:${sha256Hex(await readNamedFile(set, "the probe questions"))}`;
  const body = { document: text, file, gold_digest: gold, paths: { set, map: null, corpus: null } };
  const { outcome, drill } = await client.post("/v1/drills", {}, body, { file, text });
  if (options.json && !options.watch) terminal.data(JSON.stringify({ outcome, drill }));
  else if (outcome === "accepted") terminal.say(`${terminal.paint("good", "accepted")} drill ${drill.id}`);
  else terminal.say(`nothing to do: drill ${drill.id} is ${drill.phase}`);
  if (options.watch) return drillWatch(drill.id, options, client, terminal);
  if (!options.json) terminal.say(`${drill.next}; watch it with: sluice drill status ${drill.id} --watch`);
  return outcome === "accepted" ? EXIT.ok : ((drill.exit_code ?? EXIT.ok) as ExitCode);
}

/** `sluice drill status [NAME]`: one drill in full, or all of them. */
export async function drillStatus(
  id: string | null,
  options: { readonly json: boolean; readonly watch: boolean },
  client: Client,
  terminal: Terminal,
): Promise<ExitCode> {
  if (id !== null && options.watch) return drillWatch(id, options, client, terminal);
  if (id !== null) {
    sayDrill(await client.get("/v1/drills/{id}", { id }), options.json, terminal);
    return EXIT.ok;
  }
  const { drills } = await client.get("/v1/drills", {});
  if (options.json) terminal.data(JSON.stringify({ drills }));
  else if (drills.length === 0) terminal.say("no drill yet; begin one with: sluice drill run FILE");
  else
    for (const { id: name, generation, service, phase, cause } of drills)
      terminal.data(
        printableLine(`${name.padEnd(24)} #${generation}  ${service.padEnd(16)} ${phase.padEnd(10)} ${cause ?? ""}`),
      );
  return EXIT.ok;
}

function sayDrill(status: DrillStatus, json: boolean, terminal: Terminal): void {
  if (json) return terminal.data(JSON.stringify(status));
  const { id, generation, service, phase, evacuate, survivor, steps, cause, next } = status;
  const share =
    status.own_share_bp === null ? "" : `, ${status.own_share_bp / 100} % of its users are served by itself`;
  const lines = [
    `${terminal.paint("strong", id)}  generation ${generation}  service ${service}`,
    `  phase   ${phase}`,
    `  region  ${evacuate}${share}; ${survivor} takes over`,
    `  writes  ${status.writes_in ?? "nobody was promoted yet"}`,
    ...steps.map(({ name, does, state }) => `  ${MARKS[state]} ${name.padEnd(18)} ${does}`),
    ...(cause === null ? [] : [`  cause   ${cause}`]),
    `  next    ${next}`,
  ];
  for (const line of lines) terminal.data(printableLine(line));
}

/** Each decision as it is journalled, until the drill ends. */
async function drillWatch(
  id: string,
  options: { readonly json: boolean },
  client: Client,
  terminal: Terminal,
): Promise<ExitCode> {
  for (let told = 0; ; ) {
    const { drill, entries } = await client.get("/v1/drills/{id}/journal", { id });
    for (const entry of entries.slice(told)) {
      if (options.json) terminal.data(JSON.stringify(entry));
      else for (const note of entry.notes) terminal.data(printableLine(`${new Date(entry.at).toISOString()}  ${note}`));
    }
    told = entries.length;
    if (drill.exit_code !== null) {
      const why = drill.cause === null ? "" : `: ${drill.cause}`;
      if (!options.json) terminal.say(printableLine(`${id} ${drill.phase}${why}; next: ${drill.next}`));
      return drill.exit_code as ExitCode;
    }
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}

/** `sluice drill abort|home|approve NAME`: a person's word. */
export async function drillWord(
  word: "abort" | "home" | "approve",
  id: string,
  options: { readonly json: boolean; readonly reason: string; readonly watch: boolean },
  client: Client,
  terminal: Terminal,
): Promise<ExitCode> {
  const said = await client.post(`/v1/drills/{id}/${word}`, { id }, { reason: options.reason });
  if (options.json && !options.watch) terminal.data(JSON.stringify(said));
  else terminal.say(printableLine(said.outcome === "held" ? `nothing to do: ${said.text}` : said.text));
  if (options.watch) return drillWatch(id, options, client, terminal);
  if (!options.json) terminal.say(printableLine(`next: ${said.drill.next}`));
  return EXIT.ok;
}

/** `sluice drill abort --all`: the kill switch. Every drill that runs or waits is ended. */
export async function drillAbortAll(
  options: { readonly json: boolean; readonly reason: string },
  client: Client,
  terminal: Terminal,
): Promise<ExitCode> {
  const { drills } = await client.get("/v1/drills", {});
  const running = drills.filter(({ exit_code: code }) => code === null);
  const ended = await Promise.all(
    running.map(({ id }) => client.post("/v1/drills/{id}/abort", { id }, { reason: options.reason })),
  );
  if (options.json) terminal.data(JSON.stringify({ drills: ended.map(({ drill }) => drill) }));
  else if (ended.length === 0) terminal.say("no drill runs or waits");
  for (const { text } of options.json ? [] : ended) terminal.say(printableLine(text));
  return EXIT.ok;
}

/** `sluice drill report NAME --format md|json|html`: the evidence, the same bytes every time. */
export async function drillReport(id: string, format: string, client: Client, terminal: Terminal): Promise<ExitCode> {
  const { drill, entries, chain } = await client.get("/v1/drills/{id}/journal", { id });
  const { generation, service, phase, evacuate, survivor, asked_by, approved_by, decided_at, cause } = drill;
  const facts = { id, generation, service, phase, evacuate, survivor, asked_by, approved_by, decided_at, cause };
  const report = buildDrillReport(facts, entries);
  terminal.data(FORMATS[format as keyof typeof FORMATS](report, chain));
  return EXIT.ok;
}

type Report = ReturnType<typeof buildDrillReport>;

function drillJson(report: Report, chain: DrillChain): string {
  const digest = sha256Hex(canonicalJson(report as unknown as Json));
  return JSON.stringify({ digest: `sha256:${digest}`, chain, report }, null, 2);
}

/** Formats of the evidence. */
const FORMATS = { md: drillMarkdown, json: drillJson, html: drillHtml } as const;
