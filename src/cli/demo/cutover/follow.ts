import type { CutoverStatus } from "../../../contract/cutovers.ts";
import { printableLine } from "../../../core/printable.ts";
import { CliError } from "../../cli-error.ts";
import { type ControllerClient, UNREACHABLE } from "../../controller-client.ts";
import type { Terminal } from "../../terminal.ts";

type Client = Pick<ControllerClient, "get">;
type Step = CutoverStatus["steps"][number];

const LOOK_MS = 150;
/** What has not come to an end by then is told as it stands. */
const LIMIT_MS = 300_000;

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS));

/** Says each step when it is through, with the time it took as it could be seen from outside. */
export class StepTeller {
  readonly #terminal: Terminal;
  readonly #note: (text: string) => void;
  readonly #since = new Map<string, number>();
  readonly #told = new Set<string>();

  constructor(terminal: Terminal, note: (text: string) => void) {
    this.#terminal = terminal;
    this.#note = note;
  }

  look({ steps }: CutoverStatus): void {
    const isBack = steps.some(({ state }) => state === "going-back" || state === "back");
    if (!isBack)
      for (const step of steps) this.#lookAt(step.name, step.state !== "waiting", step.state === "done", step);
    else for (const step of [...steps].reverse()) this.#lookBack(step);
  }

  /** Of what is taken back, only what could be seen being taken back: most steps changed nothing. */
  #lookBack(step: Step): void {
    const key = `back ${step.name}`;
    const isUnderWay = step.state === "going-back";
    if (isUnderWay || this.#since.has(key)) this.#lookAt(key, true, step.state === "back", step);
  }

  #lookAt(key: string, hasBegun: boolean, isOver: boolean, { name, does, state }: Step): void {
    if (!hasBegun || this.#told.has(key)) return;
    const since = this.#since.get(key) ?? performance.now();
    this.#since.set(key, since);
    if (!isOver) return;
    this.#told.add(key);
    const tookS = ((performance.now() - since) / 1_000).toFixed(1).padStart(5);
    const glyph = state === "done" ? this.#terminal.paint("good", "✔") : this.#terminal.paint("bad", "◀");
    const says = state === "done" ? does : "is taken back";
    this.#note(printableLine(`  ${glyph} ${name.padEnd(17)} ${tookS} s  ${says}`));
  }
}

/** Looks at a cutover until it is in one of these phases, or time is up. */
export async function followUntil(
  id: string,
  phases: readonly string[],
  client: Client,
  teller: StepTeller,
): Promise<CutoverStatus> {
  const untilMs = performance.now() + LIMIT_MS;
  for (;;) {
    const status = await look(id, client, performance.now() < untilMs);
    if (status !== null) {
      teller.look(status);
      if (phases.includes(status.phase) || performance.now() > untilMs) return status;
    }
    await pause();
  }
}

/** Null: a connection was cut, as happens to an idle one, or the controller is busy; there is another look. */
function look(id: string, client: Client, isPatient: boolean): Promise<CutoverStatus | null> {
  return client.get("/v1/cutovers/{id}", { id }).catch((error: unknown) => {
    if (isPatient && error instanceof CliError && error.cause === UNREACHABLE) return null;
    throw error;
  });
}

/** When the order that moves users was given, milliseconds since the epoch; null: it never was. */
export async function flipOrderedAt(id: string, client: Client): Promise<number | null> {
  const { entries } = await client.get("/v1/cutovers/{id}/journal", { id });
  return entries.find(({ orders }) => orders.some(({ order }) => order === "traffic.publish"))?.at ?? null;
}
