/** One decision as the journal has it. */
export interface DrillEntry {
  readonly index: number;
  readonly at: number;
  readonly event: string;
  readonly order_id: string | null;
  readonly text: string | null;
  readonly verdicts: readonly DrillVerdict[];
  readonly orders: readonly { readonly id: string; readonly order: string; readonly step: string | null }[];
  readonly notes: readonly string[];
}

interface DrillVerdict {
  readonly check: string;
  readonly verdict: string;
  readonly estimate: number | null;
  readonly threshold: number | null;
  readonly samples: number;
  readonly reason: string;
}

/** What the journal belongs to. */
export interface DrillFacts {
  readonly id: string;
  readonly generation: number;
  readonly service: string;
  readonly phase: string;
  readonly evacuate: string;
  readonly survivor: string;
  readonly asked_by: string | null;
  readonly approved_by: readonly string[];
  readonly decided_at: number | null;
  readonly cause: string | null;
}

/** One step as it was carried out, all its tries together. */
export interface DrillStepReport {
  readonly step: string;
  readonly order: string;
  readonly from_ms: number;
  readonly took_ms: number | null;
  readonly tries: number;
  /** Of its last try. */
  readonly outcome: "done" | "failed" | "given-up";
  readonly text: string | null;
}

/** The evidence of a drill: the same journal gives the same report. Times count from the first decision. */
export interface DrillReport extends DrillFacts {
  readonly began_at: number | null;
  readonly ended_at: number | null;
  /** Milliseconds of each part; null for a part that did not come. @source DL-6 */
  readonly rto: {
    readonly checks_ms: number | null;
    readonly freeze_ms: number | null;
    readonly commit_ms: number | null;
    readonly adopt_ms: number | null;
    readonly promote_ms: number | null;
    readonly verify_ms: number | null;
    /** From the first order that may change anything until users are served elsewhere and effects are begun there. */
    readonly cutover_ms: number | null;
  };
  readonly steps: readonly DrillStepReport[];
  readonly checks: readonly (DrillVerdict & { readonly step: string; readonly at: number })[];
  readonly latencies: readonly {
    readonly step: string;
    readonly of: string;
    readonly ms: number;
    readonly samples: number;
  }[];
}

const LATENCY = /^latency_ms\[(.*)\]$/;

/** Builds the evidence of one drill. Pure. */
export function buildDrillReport(facts: DrillFacts, entries: readonly DrillEntry[]): DrillReport {
  const began = entries[0]?.at ?? null;
  const steps = stepsIn(entries, began ?? 0);
  const told = checksIn(entries);
  const took = (name: string) => steps.find(({ step, outcome }) => step === name && outcome === "done") ?? null;
  const spans = (...names: readonly string[]) => {
    const found = names.map(took).filter((step) => step !== null);
    return found.length === 0 ? null : found.reduce((sum, { took_ms: ms }) => sum + (ms ?? 0), 0);
  };
  const last = took("unfreeze") ?? took("promote");
  const decided = facts.decided_at === null || began === null ? null : facts.decided_at - began;
  const endOf = (step: DrillStepReport | null) => (step === null ? null : step.from_ms + (step.took_ms ?? 0));
  const through = endOf(last);
  return {
    ...facts,
    began_at: began,
    ended_at: entries.at(-1)?.at ?? null,
    rto: {
      checks_ms: decided,
      freeze_ms: spans("freeze-writes"),
      commit_ms: spans("evacuate"),
      adopt_ms: spans("adopt"),
      promote_ms: spans("promote", "unfreeze"),
      verify_ms: spans("verify"),
      cutover_ms: through === null || decided === null ? null : through - decided,
    },
    steps,
    checks: told.filter(({ check }) => !LATENCY.test(check)),
    latencies: told.flatMap(({ check, step, estimate, samples }) => {
      const of = LATENCY.exec(check)?.[1];
      return of === undefined || estimate === null ? [] : [{ step, of, ms: estimate, samples }];
    }),
  };
}

function stepsIn(entries: readonly DrillEntry[], beganAt: number): readonly DrillStepReport[] {
  const steps: DrillStepReport[] = [];
  for (const { at, orders } of entries) {
    for (const { id, order, step } of orders) {
      const result = entries.find(({ order_id }) => order_id === id);
      const isRight = result?.event === "order-done" && result.verdicts.every(({ verdict }) => verdict === "pass");
      const failed = result?.verdicts.find(({ verdict }) => verdict !== "pass")?.reason ?? result?.text ?? null;
      const outcome = result === undefined ? "given-up" : isRight ? "done" : "failed";
      const before = steps.at(-1);
      const isAgain =
        before !== undefined && before.step === step && before.order === order && before.outcome !== "done";
      const from = isAgain ? before.from_ms : at - beganAt;
      const one: DrillStepReport = {
        step: step ?? order,
        order,
        from_ms: from,
        took_ms: result === undefined ? null : result.at - beganAt - from,
        tries: isAgain ? before.tries + 1 : 1,
        outcome,
        text: isRight ? null : failed,
      };
      if (isAgain) steps.pop();
      steps.push(one);
    }
  }
  return steps;
}

function checksIn(entries: readonly DrillEntry[]): DrillReport["checks"] {
  const orders = entries.flatMap((entry) => entry.orders);
  return entries.flatMap(({ at, verdicts, order_id }) => {
    const order = orders.find(({ id }) => id === order_id);
    return verdicts.map((verdict) => ({ ...verdict, at, step: order?.step ?? order?.order ?? "" }));
  });
}
