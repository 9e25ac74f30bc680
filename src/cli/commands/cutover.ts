import type { CutoverStatus } from "../../contract/cutovers.ts";
import type { CutoverPlan } from "../../core/cutover/plan.ts";
import { sagaStepsOf, stepsOf } from "../../core/cutover/steps.ts";
import { printableLine } from "../../core/printable.ts";
import type { SagaStep } from "../../core/process/saga.ts";
import { formatDurationMs } from "../../spec/duration.ts";
import { CliError } from "../cli-error.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { DocumentFile } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";
import { applyBody, type ApplyOptions } from "./apply.ts";

const LOOK_MS = 250;
/** A way back that is through takes seconds; what takes longer is worth a `watch`. */
const BACK_WAIT_MS = 30_000;
const MARKS: Readonly<Record<CutoverStatus["steps"][number]["state"], string>> = {
  waiting: "·",
  "in-force": "▶",
  done: "✓",
  "going-back": "◀",
  back: "-",
};

type Client = Pick<ControllerClient, "get" | "post">;

/** What `work` comes to, or null when the controller knows nothing of that name. */
export async function unlessUnknown<T>(work: Promise<T>): Promise<T | null> {
  return work.catch((error: unknown) => {
    // The second is what a controller of the version before says of a request that it does not know.
    const isUnknown = error instanceof CliError && (error.cause === "not-found" || error.message === "status 404");
    if (isUnknown) return null;
    throw error;
  });
}

/** The cutover of a name; null when there is none. */
export function findCutover(id: string, client: Pick<Client, "get">): Promise<CutoverStatus | null> {
  return unlessUnknown(client.get("/v1/cutovers/{id}", { id }));
}

/** `sluice plan` of a document with strategy.blueGreen: each step with its bound and its way back. */
export function sayCutoverPlan(plan: CutoverPlan, json: boolean, terminal: Terminal): ExitCode {
  const { cutover, service, arms } = plan;
  const saga = sagaStepsOf(plan);
  const steps = stepsOf(plan).map(({ name, does }, place) => ({ name, does, ...boundsOf(saga[place] as SagaStep) }));
  const { freezeMs, holdMs } = cutover;
  if (json) {
    const [from, to] = [arms.stable.releaseId, arms.candidate.releaseId];
    terminal.data(JSON.stringify({ service, from, to, steps, freeze_ms: freezeMs, hold_ms: holdMs }));
    return EXIT.ok;
  }
  terminal.say(
    `${plan.rolloutId}: everything of ${service} from ${arms.stable.releaseId} to ${arms.candidate.releaseId}`,
  );
  for (const [place, { name, does, within_ms, undo }] of steps.entries()) {
    const back = undo === null ? "changes nothing" : `back by ${undo}`;
    terminal.say(`  ${String(place + 1).padEnd(2)} ${name.padEnd(17)} ${does}`);
    terminal.say(`     ${" ".repeat(17)} within ${formatDurationMs(within_ms)}; ${back}`);
  }
  const frozen = "nothing is frozen: the document names no effects";
  terminal.say(
    freezeMs === null
      ? `  ${frozen}`
      : `  effects are frozen for at most ${formatDurationMs(freezeMs)}, then everything goes back`,
  );
  terminal.say(
    `  held for ${formatDurationMs(holdMs)}; what a step cannot read back is not done, and everything goes back`,
  );
  return EXIT.ok;
}

function boundsOf({ budgetMs, apply, undo }: SagaStep): { readonly within_ms: number; readonly undo: string | null } {
  return { within_ms: budgetMs + apply.withinMs, undo: undo === null ? null : `${undo.port}.${undo.verb}` };
}

/** `sluice apply` of a document with strategy.blueGreen. */
export async function applyCutover(
  read: DocumentFile,
  options: ApplyOptions,
  client: Client,
  terminal: Terminal,
): Promise<ExitCode> {
  const { outcome, cutover } = await client.post("/v1/cutovers", {}, await applyBody(read), read);
  const { id, generation, phase, exit_code: code } = cutover;
  if (options.json && !options.watch) terminal.data(JSON.stringify({ outcome, cutover }));
  else if (outcome === "accepted")
    terminal.say(`${terminal.paint("good", "accepted")} cutover ${id}, generation ${generation}`);
  else terminal.say(`nothing to do: cutover ${id}, generation ${generation}, is ${phase}`);
  if (options.watch) return watchCutover(id, { json: options.json, timeoutS: null }, client, terminal);
  if (!options.json && outcome === "accepted") terminal.say(`watch it with: sluice watch ${id}`);
  return outcome === "accepted" ? EXIT.ok : ((code ?? EXIT.ok) as ExitCode);
}

/** One cutover in full. */
export function sayCutover(status: CutoverStatus, json: boolean, terminal: Terminal): void {
  if (json) return terminal.data(JSON.stringify(status));
  const { id, generation, service, phase, serves, steps, cause, still_out: out, next } = status;
  const lines = [
    `${terminal.paint("strong", id)}  generation ${generation}  service ${service}`,
    `  phase   ${phase}${status.frozen_since === null ? "" : " (effects are frozen)"}`,
    `  serves  ${serves ?? "users are being moved"}`,
    ...steps.map(({ name, does, state }) => `  ${MARKS[state]} ${name.padEnd(17)} ${does}`),
    ...(cause === null ? [] : [`  cause   ${cause}`]),
    ...(out.length === 0 ? [] : [`  still out: ${out.join(", ")}`]),
    `  next    ${next}`,
  ];
  for (const line of lines) terminal.data(printableLine(line));
}

/** One cutover on one line of the list. */
export function cutoverLine(
  { id, generation, service, phase, steps, cause }: CutoverStatus,
  terminal: Terminal,
): string {
  const at = steps.find(({ state }) => state === "in-force" || state === "going-back")?.name ?? "";
  const name = terminal.paint("strong", id.padEnd(24));
  return `${name} ${`#${generation}`.padEnd(4)} ${service.padEnd(16)} ${phase.padEnd(16)} ${at}${cause === null ? "" : `  ${cause}`}`;
}

/** `sluice abort` and `sluice rollback` of a cutover: everything goes back, and it is waited for. */
export async function goBack(
  id: string,
  options: { readonly json: boolean; readonly reason: string },
  client: Client,
  terminal: Terminal,
): Promise<ExitCode> {
  const { outcome, text } = await client.post("/v1/cutovers/{id}/abort", { id }, { reason: options.reason });
  const untilMs = performance.now() + BACK_WAIT_MS;
  let status = await client.get("/v1/cutovers/{id}", { id });
  while (status.exit_code === null && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    status = await client.get("/v1/cutovers/{id}", { id });
  }
  if (options.json) terminal.data(JSON.stringify({ outcome, text, cutover: status }));
  else if (outcome === "held") terminal.say(`nothing to do: ${text}`);
  else if (status.phase === "returned") terminal.say(`${id}: everything is back, stable serves`);
  else if (status.phase === "stuck") terminal.say(printableLine(`${id}: ${status.cause ?? ""}`));
  else terminal.say(`${text}; watch it with: sluice watch ${id}`);
  return status.phase === "stuck" ? EXIT.rollbackFailed : EXIT.ok;
}

/** `sluice watch` of a cutover: each decision as it is journalled, until it ends. */
export async function watchCutover(
  id: string,
  options: { readonly json: boolean; readonly timeoutS: number | null },
  client: Client,
  terminal: Terminal,
): Promise<ExitCode> {
  const untilMs = options.timeoutS === null ? Number.POSITIVE_INFINITY : performance.now() + options.timeoutS * 1_000;
  for (let told = 0; ; ) {
    const status = await client.get("/v1/cutovers/{id}", { id });
    const { entries } = await client.get("/v1/cutovers/{id}/journal", { id });
    for (const entry of entries.slice(told).filter(({ generation }) => generation === status.generation)) {
      if (options.json) terminal.data(JSON.stringify(entry));
      else for (const note of entry.notes) terminal.data(printableLine(`${new Date(entry.at).toISOString()}  ${note}`));
    }
    told = entries.length;
    if (status.exit_code !== null) {
      if (!options.json)
        terminal.say(printableLine(`${id} is ${status.phase}${status.cause === null ? "" : `: ${status.cause}`}`));
      return status.exit_code as ExitCode;
    }
    if (performance.now() >= untilMs) return EXIT.timeout;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
