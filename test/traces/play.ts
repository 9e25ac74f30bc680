import { KNOWN_DRIVERS } from "../../src/host/driver-registry.ts";
import { systemRandom } from "../../src/fence/system.ts";
import { gateLabel } from "../../src/core/judge/setting.ts";
import { Controller } from "../../src/controller/controller.ts";
import { GatewayRegistry } from "../../src/controller/gateway-registry.ts";
import type { Block } from "../../src/core/judge/block.ts";
import { isTrafficGate } from "../../src/core/judge/gates.ts";
import { orderName } from "../../src/core/process/order.ts";
import { judgeProbes } from "../../src/core/judge/engine.ts";
import { rehearse } from "../../src/core/rehearsal/rehearse.ts";
import { passingAnswers } from "../../src/core/rehearsal/study.ts";
import { drawSecond } from "../../src/core/rehearsal/world.ts";
import { isFinal, type Rollout } from "../../src/core/rollout/rollout.ts";
import { isNewer, type RoutingDocument } from "../../src/core/routing/document.ts";
import { randomStream } from "../../src/core/stats/random.ts";
import { WindowJudge } from "../../src/core/trace/window-judge.ts";
import { bp, epochMs } from "../../src/core/unit.ts";
import type { Verdict } from "../../src/core/verdict.ts";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import { gatewayTraffic } from "../../src/drivers/traffic/gateway/index.ts";
import { DriverError } from "../../src/ports/driver-error.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { aManifest } from "../controller/world.ts";
import type { RecordedWorld } from "./worlds.ts";

/** A window that a controller took in, and the second in which it came. */
export interface Arrival {
  readonly atS: number;
  readonly window: TelemetryWindow;
}

/** What stood after one window: the verdicts, and the share then ordered. */
interface Looked {
  readonly verdicts: readonly Verdict[];
  readonly orderedBp: number;
}

/** What the controller decided, wrote and published, as lines a person reads, and what it was fed with. */
export interface Played {
  readonly journal: readonly string[];
  readonly documents: readonly string[];
  /** Gates and kinds of the newest verdicts at the end of each second. */
  readonly verdicts: readonly string[];
  /** The same once the window of a second was looked at whole, a quarter of a second after it came, until the end. */
  readonly looked: readonly Looked[];
  /** The second whose window made a gate stop the rollout for the first time, and that gate; null when none did. */
  readonly stopped: { readonly atS: number; readonly gate: string } | null;
  readonly arrivals: readonly Arrival[];
  readonly rollout: Rollout;
}

const SEED = 40_000;
const QUARTERS = 4;

/** One second of a world at a share: the same for whoever asks, whatever was asked before. */
export function secondOf(world: RecordedWorld, candidateBp: number, atS: number): Block {
  return drawSecond(world.law(candidateBp), candidateBp, atS, randomStream(SEED + atS));
}

/** Gates and kinds in the order of causes, e.g. `parity pass, error-rate inconclusive`. */
export function kindsOf(verdicts: readonly Verdict[]): string {
  return verdicts.map((verdict) => `${gateLabel(verdict)} ${verdict.kind}`).join(", ");
}

const percent = (candidateBp: number) => `${candidateBp / 100} %`;

function describeState({ phase, stageIndex, candidateBp, cause }: Rollout): string {
  const why = cause === null ? "" : `, because of ${cause.gate ?? cause.text}`;
  return `${phase}, stage ${stageIndex} at ${percent(candidateBp)}${why}`;
}

/** A gateway on the virtual clock: adopts at the end of a second, so that a window has one share. */
class Gateway {
  document: RoutingDocument | null = null;
  readonly #waiting: { readonly dueS: number; readonly window: TelemetryWindow }[] = [];
  #seq = 0;
  readonly #id: string;
  readonly #lateByS: number;

  constructor(id: string, lateByS: number) {
    this.#id = id;
    this.#lateByS = lateByS;
  }

  get id(): string {
    return this.#id;
  }

  get adopted(): { readonly epoch: number; readonly seq: number } {
    return { epoch: this.document?.epoch ?? 0, seq: this.document?.seq ?? 0 };
  }

  adopt(document: RoutingDocument | null): void {
    if (document !== null && (this.document === null || isNewer(document, this.document))) this.document = document;
  }

  count(block: Block, atS: number, endMs: number, service: string): void {
    const window: TelemetryWindow = {
      gatewayId: this.#id,
      service,
      seq: this.#seq++,
      startMs: epochMs(endMs - 1_000),
      endMs: epochMs(endMs),
      document: this.adopted,
      candidateBp: bp(this.document?.candidateBp ?? 0),
      arms: block.arms,
      gatewayFailures: 0,
    };
    this.#waiting.push({ dueS: atS + this.#lateByS, window });
  }

  /** The windows that are sent in a second. */
  due(atS: number): readonly TelemetryWindow[] {
    const due = this.#waiting.filter(({ dueS }) => dueS <= atS);
    this.#waiting.splice(0, due.length);
    return due.map(({ window }) => window);
  }
}

/** Carries a world out with the real controller over a store in memory, on a clock that moves when told. */
export async function playController(world: RecordedWorld): Promise<Played> {
  const { plan, lateByS = 0, probe } = world;
  const clock = manualClock();
  const hub = new GatewayRegistry(() => clock.monoMs());
  const store = memoryStore();
  const startMs = clock.wallMs();
  let second = 0;
  const documents: string[] = [];
  const recording: typeof store = {
    ...store,
    commit: async (change) => {
      const isStored = await store.commit(change);
      if (isStored && change.published !== undefined) {
        const { epoch, seq, candidateBp, arms, closed } = change.published.next.document;
        const shut = closed.length === 0 ? "" : `, closed: ${closed.join()}`;
        const only = arms.candidate === null ? `, only ${arms.stable.releaseId}` : "";
        documents.push(`second ${second}: ${epoch}.${seq} at ${percent(candidateBp)}${only}${shut}`);
      }
      return isStored;
    },
  };
  const controller = await Controller.open({
    store: recording,
    hub,
    traffic: { gateway: gatewayTraffic(hub) },
    drivers: KNOWN_DRIVERS,
    probes: {
      run: ({ tier }) =>
        probe === undefined
          ? Promise.reject(new DriverError("unsupported", "never", "no probes in this world"))
          : Promise.resolve(probe(tier)),
      smoke: () => Promise.resolve(null),
    },
    health: {
      read: (url) => {
        const { metricFromS } = world;
        const hasChanged = metricFromS !== undefined && second >= metricFromS.atS && url.includes("4002");
        return Promise.resolve({
          kind: "read",
          manifest: aManifest(hasChanged ? { METRIC: metricFromS.METRIC } : {}),
        });
      },
    },
    signer: null, // Gateways of this world are told so.
    metrics: () => ({
      name: "recorded",
      read: ({ query }, now) =>
        Promise.resolve({ kind: "value", value: world.reading?.(query, second) ?? 0, atEpochMs: now }),
    }),
    clock,
    random: systemRandom,
    proof: null,
    log: () => {},
    onFatal: (error) => {
      throw error;
    },
  });
  const gateways = [new Gateway("g1", 0), ...(lateByS === 0 ? [] : [new Gateway("g2", lateByS)])];
  const [arrivals, verdicts, looked]: [Arrival[], string[], Looked[]] = [[], [], []];
  const standing = () => controller.rollout(plan.rolloutId)?.rollout.verdicts ?? [];
  const report = async (windowsOf: (gateway: Gateway) => readonly TelemetryWindow[]): Promise<void> => {
    for (const gateway of gateways) {
      const windows = windowsOf(gateway);
      arrivals.push(...windows.map((window) => ({ atS: second, window })));
      await controller.ingest(plan.service, windows, gateway.adopted);
      hub.report(plan.service, gateway.id, gateway.adopted);
    }
  };
  const adopt = async (): Promise<void> => {
    for (const gateway of gateways) gateway.adopt(hub.current(plan.service));
    await report(() => []);
  };
  await adopt();
  await controller.apply(plan);
  await clock.advance(0);
  await adopt();
  for (second = 1; second <= world.seconds; second++) {
    const command = world.commands?.[second];
    if (command !== undefined) {
      await controller.command(plan.rolloutId, { command, full: false, by: "ann", reason: "told" });
    }
    for (let quarter = 0; quarter < QUARTERS; quarter++) {
      await clock.advance(1_000 / QUARTERS);
      if (quarter > 0 || second === 1) continue;
      const rollout = controller.rollout(plan.rolloutId)?.rollout;
      if (rollout === undefined || isFinal(rollout)) continue;
      looked.push({ verdicts: rollout.verdicts, orderedBp: rollout.candidateBp });
    }
    const parts = gateways.map((gateway) => gateway.document?.candidateBp ?? 0);
    gateways.forEach((gateway, index) => {
      const block = secondOf(world, parts[index] ?? 0, second * gateways.length + index);
      gateway.count(block, second, startMs + second * 1_000, plan.service);
    });
    await report((gateway) => gateway.due(second));
    await clock.advance(0);
    await adopt();
    verdicts.push(kindsOf(standing()));
  }
  await controller.stop();
  const stored = (await store.rollouts()).find(({ rollout }) => rollout.plan.rolloutId === plan.rolloutId);
  if (stored === undefined) throw new Error(`${world.name} was not accepted`);
  const entries = await store.journal(plan.rolloutId);
  const failed = entries.flatMap(({ event }) =>
    event.kind === "judged"
      ? event.verdicts.filter(({ kind }) => kind === "fail").map(({ gate }) => ({ gate, event }))
      : [],
  )[0];
  const stopped =
    failed === undefined ? null : { atS: Math.floor((failed.event.at - startMs) / 1_000), gate: failed.gate };
  const journal = entries.map(({ event, phase, stageIndex, candidateBp, orders: ordersOf }) => {
    const told = event.kind === "judged" || event.kind === "order-done" ? kindsOf(event.verdicts) : "";
    const orders = ordersOf.map(orderName).join();
    const ordered = orders === "" ? "" : `, orders ${orders}`;
    const atS = (event.at - startMs) / 1_000;
    return `${atS} s ${event.kind}: ${phase}, stage ${stageIndex} at ${percent(candidateBp)}${ordered}${told === "" ? "" : `; ${told}`}`;
  });
  journal.push(`at last ${describeState(stored.rollout)}`);
  return { journal, documents, verdicts, looked, stopped, arrivals, rollout: stored.rollout };
}

/** The rehearsal of a world: how it stood after each second. */
export function playRehearsal(world: RecordedWorld): { readonly states: readonly string[]; readonly last: Rollout } {
  const { plan, probe } = world;
  const answers = passingAnswers(plan);
  const view = { kind: "probes", candidateBp: bp(0), heldMs: 0, holdMs: 0 } as const;
  const given =
    probe === undefined
      ? answers
      : {
          ...answers,
          probes: (tier: "smoke" | "full") => judgeProbes(probe(tier), view, plan.gates),
        };
  const after = (limitS: number): Rollout =>
    rehearse(plan, (candidateBp, atS) => secondOf(world, candidateBp, atS), randomStream(1), limitS, given).rollout;
  const seconds = Array.from({ length: world.seconds }, (_, index) => after(index + 1));
  const states = seconds.map((rollout) => `${describeState(rollout)}; ${kindsOf(rollout.verdicts)}`);
  return { states, last: seconds.at(-1) ?? after(1) };
}

/** The judgement of `sluice judge` on the first windows a controller took in, for every number of windows. */
export function playJudge(world: RecordedWorld, arrivals: readonly Arrival[]): readonly string[] {
  const { plan, probe } = world;
  const rules = {
    gates: plan.gates,
    ladder: plan.stages,
    holdMs: null,
    splitBp: null,
    probes: probe?.("full") ?? null,
    isTraceOnly: true,
  };
  return arrivals.map((_, index) => {
    const judge = new WindowJudge(rules);
    arrivals.slice(0, index + 1).some(({ window }, line) => judge.take(structuredClone(window), line + 1));
    const { kind, decidedBy, decidedAt, stage, verdicts } = judge.finish();
    const at = stage === null ? "nothing judged" : `at ${percent(stage.candidateBp)}`;
    const why = decidedBy === null ? "" : ` by ${decidedBy} at line ${decidedAt?.event ?? "none"}`;
    return `${kind}${why}, ${at}; ${kindsOf(verdicts)}`;
  });
}

/** Verdicts of the gates over traffic: identity and probes are not in the windows that all three are fed with. */
function ofTraffic(verdicts: readonly Verdict[]): string {
  return kindsOf(verdicts.filter(({ gate }) => isTrafficGate(gate)));
}

/**
 * What each of the three says after each window of one recording, up to the first stop; all look at everything after
 * every window. A trace knows no orders: while a window of the share before still comes, it judges at that share, so
 * there it is asked nothing ("-"), like the controller.
 */
export async function threeSequences(world: RecordedWorld): Promise<Readonly<Record<string, readonly string[]>>> {
  const { plan } = world;
  const { looked, stopped, arrivals } = await playController(world);
  const windows = arrivals.slice(0, stopped?.atS ?? looked.length).map(({ window }) => window);
  const stops = (gate: string | null | undefined) => `stopped by ${gate ?? "nobody"}`;
  const isStop = (index: number) => index + 1 === stopped?.atS;
  const controller = windows.map((_, index) =>
    isStop(index) ? stops(stopped?.gate) : ofTraffic(looked[index]?.verdicts ?? []),
  );
  const traffic = (_: number, atS: number): Block => {
    const { candidateBp, arms, startMs, endMs } = windows[atS - 1] as TelemetryWindow;
    return { candidateBp, arms, endMs, spanMs: endMs - startMs, source: "recorded" };
  };
  const always = () => true;
  const simulate = windows.map((_, index) => {
    const { rollout } = rehearse(plan, traffic, randomStream(1), index + 1, passingAnswers(plan), always);
    return isStop(index) ? stops(rollout.cause?.gate) : ofTraffic(rollout.verdicts);
  });
  const rules = {
    gates: plan.gates,
    ladder: plan.stages,
    holdMs: null,
    splitBp: null,
    probes: null,
    isTraceOnly: true,
  };
  const judge = windows.map((_, index) => {
    const reader = new WindowJudge(rules);
    windows.slice(0, index + 1).forEach((window, line) => reader.take(structuredClone(window), line + 1));
    const { decidedBy, verdicts } = reader.finish();
    return isStop(index) ? stops(decidedBy) : ofTraffic(verdicts);
  });
  const isInStep = windows.map(({ candidateBp }, index) => isStop(index) || candidateBp === looked[index]?.orderedBp);
  const inStep = (lines: readonly string[]) => lines.map((line, index) => (isInStep[index] === true ? line : "-"));
  return { controller, simulate, "controller in step": inStep(controller), "judge in step": inStep(judge) };
}

/** Lines that differ from the one before, each with where it stands: what changed, and when. */
export function changes(lines: readonly string[], what: string): readonly string[] {
  return lines.flatMap((line, index) => (line === lines[index - 1] ? [] : [`${what} ${index + 1}: ${line}`]));
}
