import { describeUsers } from "../format/describe-users.ts";
import { SERVING_ARMS, type ServingArm } from "../../core/arm.ts";
import type { ObservedManifest } from "../../core/release/manifest.ts";
import { manifestDifferences } from "../../core/release/manifest.ts";
import type { RolloutPlan } from "../../core/stage/plan.ts";
import { httpAccess, unsetVariables } from "../../drivers/access/http/index.ts";
import { httpHealth } from "../../drivers/health/http/index.ts";
import { openProbes } from "../../host/probe-targets.ts";
import { probeRunner } from "../../host/probe-runner.ts";
import { systemClock } from "../../host/system-clock.ts";
import { DriverError } from "../../ports/driver-error.ts";
import { converse } from "../../probe/target.ts";
import { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { checkStable } from "../known-stable.ts";
import { conversationLines, hasGold } from "../format/conversation.ts";
import { previewPlan, readDocument } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";

export interface DoctorOptions {
  readonly json: boolean;
  readonly dataDir: string;
  readonly controller: string | null;
}

/** One thing that was looked at. `bad` keeps a rollout from beginning or from ever passing. */
interface Finding {
  readonly about: string;
  readonly kind: "good" | "bad" | "warn" | "info";
  readonly lines: readonly string[];
}

const HEALTH_MS = 5_000;
const ANSWER_MS = 30_000;
const SMOKE_MS = 120_000;

/**
 * `sluice doctor FILE`: tries everything a rollout will need before it is applied, changes nothing, and prints what was
 * sent, answered and understood. Exit 1 when something keeps the rollout from beginning or its probes from passing.
 */
export async function doctor(file: string, options: DoctorOptions, terminal: Terminal): Promise<ExitCode> {
  const document = await readDocument(file);
  const known = await checkStable(document, options, true);
  const plan = await previewPlan(document, known.arm);
  const findings: Finding[] = [];
  const tell = (finding: Finding): void => {
    findings.push(finding);
    if (options.json) return;
    const { about, kind, lines } = finding;
    const word = { good: "ok  ", bad: "BAD ", warn: "note", info: "    " }[kind];
    const [first = "", ...rest] = lines;
    terminal.data(`${terminal.paint(kind === "info" ? "dim" : kind, word)} ${about.padEnd(10)} ${first}`);
    for (const line of rest) terminal.data(`${" ".repeat(16)}${line}`);
  };
  tell({ about: "stable", kind: "info", lines: [known.says] });
  const unset = unsetIn(plan);
  if (unset !== null) tell(unset);
  else {
    for (const finding of await healthOf(plan)) tell(finding);
    await tryQuestion(plan, tell);
  }
  tell(identityOf(plan));
  // What fails from here as well was told already.
  const isReadHere = !findings.some(({ about, kind }) => kind === "bad" && about.startsWith("health"));
  if (isReadHere && known.unread.length > 0) tell({ about: "controller", kind: "bad", lines: known.unread });
  tell(await serviceOf(plan, options));
  const isBad = findings.some(({ kind }) => kind === "bad");
  if (options.json) terminal.data(JSON.stringify({ ok: !isBad, findings }));
  else
    terminal.say(
      isBad
        ? "mend what is BAD, then ask again; nothing was changed"
        : `nothing stands in the way: sluice apply ${file}`,
    );
  return isBad ? EXIT.toolError : EXIT.ok;
}

/** Without its credentials no arm can be asked, and each part of a talk would say the same. */
function unsetIn(plan: RolloutPlan): Finding | null {
  const accesses = SERVING_ARMS.flatMap((arm) => plan.arms[arm].access ?? []);
  const names = [...new Set(accesses.flatMap((access) => unsetVariables(access)))];
  if (names.length === 0) return null;
  const found = `${names.join(", ")} ${names.length === 1 ? "is" : "are"} not set here, so neither arm was asked`;
  const fix = "export it in this shell, and before `sluice serve` starts, for the controller asks with its own";
  return { about: "access", kind: "bad", lines: [found, fix] };
}

async function healthOf(plan: RolloutPlan): Promise<readonly Finding[]> {
  const health = httpHealth(systemClock(), { access: (needed) => httpAccess(needed, systemClock()) });
  const answers: Partial<Record<ServingArm, ObservedManifest>> = {};
  const findings = await Promise.all(
    SERVING_ARMS.map(async (arm): Promise<Finding> => {
      const about = `health ${arm === "stable" ? "S" : "C"}`;
      const { healthUrl } = plan.arms[arm];
      if (healthUrl === null) {
        return { about, kind: "warn", lines: [`${arm} has none (health: null): its identity is not checked`] };
      }
      const answer = await health.read(healthUrl, AbortSignal.timeout(HEALTH_MS), plan.arms[arm]);
      answers[arm] = answer;
      if (answer.kind !== "read") return { about, kind: "bad", lines: [`${arm} at ${healthUrl}: ${answer.reason}`] };
      const { release_id: release, INDEX_HASH: index } = answer.manifest;
      return { about, kind: "good", lines: [`${arm} at ${healthUrl}: ready, release ${release}, index ${index}`] };
    }),
  );
  const { stable, candidate } = answers;
  if (stable?.kind !== "read" || candidate?.kind !== "read") return findings;
  const isSame = manifestDifferences(stable.manifest, candidate.manifest).length === 0;
  const isOneBuild = stable.manifest.BUILD_TS === candidate.manifest.BUILD_TS;
  if (!isSame || !isOneBuild) return findings;
  const lines = [`both arms state the same release ${stable.manifest.release_id} in every field`];
  return [
    ...findings,
    { about: "identity", kind: "warn", lines: [...lines, "are these two addresses of one process?"] },
  ];
}

/** One question to both arms, then the few that `apply` asks. */
async function tryQuestion(plan: RolloutPlan, tell: (finding: Finding) => void): Promise<void> {
  if (plan.probes === null) {
    tell({ about: "probes", kind: "warn", lines: ["the document has none: answers are not judged"] });
    return;
  }
  try {
    const opened = await openProbes(plan);
    const item = opened.gold.items.find(({ answerable }) => answerable) ?? opened.gold.items[0];
    if (item === undefined) return;
    const question = { question: item.phrasings[0] ?? "", k: plan.probes.k, seed: 1 };
    const signal = AbortSignal.timeout(2 * ANSWER_MS);
    for (const arm of SERVING_ARMS) {
      const talk = await converse(opened[arm], question, { fetch, clock: systemClock(), timeoutMs: ANSWER_MS, signal });
      const answered = hasGold(talk, item) ? "good" : "warn";
      const kind = talk.result.kind === "answer" ? answered : "bad";
      const lines = [`question ${item.id} of ${arm}`, ...conversationLines(talk, item)];
      tell({ about: "answer", kind, lines });
    }
    const problem = await probeRunner().smoke(plan, AbortSignal.timeout(SMOKE_MS));
    if (problem === null)
      tell({
        about: "gold",
        kind: "good",
        lines: [`${opened.gold.items.length} questions; ids fit what the arms return`],
      });
    else tell({ about: "probes", kind: "bad", lines: [problem.reason] });
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    tell({ about: "probes", kind: "bad", lines: [error.message] });
  }
}

function identityOf(plan: RolloutPlan): Finding {
  return { about: "users", kind: "info", lines: describeUsers(plan) };
}

/** What the controller knows of the service, and what it would refuse; without a controller that is said. */
async function serviceOf(plan: RolloutPlan, options: DoctorOptions): Promise<Finding> {
  const about = "controller";
  try {
    const client = await ControllerClient.connect(options);
    const { gateways, running } = await client.get("/v1/services/{service}", { service: plan.service });
    const advice = gateways.length === 0 ? "; start one with: sluice gateway FILE" : "";
    const count = gateways.length === 1 ? "1 gateway" : `${gateways.length} gateways`;
    const lines = [`${client.url}: ${count} of ${plan.service} connected${advice}`];
    const isInTheWay = running !== null;
    if (isInTheWay)
      lines.push(
        running.id === plan.rolloutId
          ? `this rollout runs already, it is ${running.phase}: sluice watch ${running.id}`
          : `rollout ${running.id} of the service is ${running.phase}: wait for its end, or sluice abort ${running.id}`,
      );
    return { about, kind: gateways.length === 0 || isInTheWay ? "bad" : "good", lines };
  } catch (error) {
    return { about, kind: "warn", lines: [(error as Error).message] };
  }
}
