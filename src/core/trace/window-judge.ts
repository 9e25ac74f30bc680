import { isNewer } from "../routing/document.ts";
import type { Bp } from "../unit.ts";
import { admitWindow } from "../window/admit-window.ts";
import type { TelemetryWindow } from "../window/window.ts";
import type { LineJudge, TraceJudgement, TraceRules } from "./judgement.ts";
import { LineTally } from "./line-tally.ts";
import { StageJudge } from "./stage-judge.ts";

/**
 * Judges telemetry windows as gateways send them, one a line: what the events behind them would say, at a thousandth of
 * the reading. A window counts once, and in the order of its gateway; each states its own share.
 */
export class WindowJudge implements LineJudge {
  readonly #tally = new LineTally();
  readonly #stage: StageJudge;
  readonly #cursors = new Map<string, number>();
  #document: TelemetryWindow["document"] | null = null;
  #stageBp: Bp | null = null;

  constructor(rules: TraceRules) {
    this.#stage = new StageJudge(rules, true);
  }

  take(json: unknown, line: number): boolean {
    this.#tally.lines++;
    const window = admitWindow(json);
    if (Array.isArray(window)) {
      const [problem] = window;
      this.#tally.refuse(`${problem?.path ?? ""}: ${problem?.message ?? "no window"}`, line);
    } else if (!this.#stage.isDecided) this.#count(window as TelemetryWindow);
    return this.#isDone();
  }

  refuse(reason: string, line: number): boolean {
    this.#tally.lines++;
    this.#tally.refuse(reason, line);
    return this.#isDone();
  }

  finish(): TraceJudgement {
    return this.#tally.conclude(this.#stage.finish());
  }

  #isDone(): boolean {
    return this.#stage.isDecided && this.#tally.isReadable;
  }

  #count(window: TelemetryWindow): void {
    const { gatewayId, seq, startMs, endMs, document, candidateBp, arms } = window;
    const cursor = this.#cursors.get(gatewayId) ?? seq - 1;
    if (seq <= cursor) {
      this.#tally.repeated++;
      return;
    }
    this.#tally.lost += seq - cursor - 1;
    this.#cursors.set(gatewayId, seq);
    if (this.#document === null || isNewer(document, this.#document)) {
      this.#document = document;
      this.#stageBp = candidateBp;
    }
    this.#tally.probes += arms.stable.probes + arms.candidate.probes;
    const event = this.#tally.lines;
    const place = { endMs, spanMs: endMs - startMs, source: gatewayId, event };
    this.#stage.take({ ...place, candidateBp, stageBp: this.#stageBp, arms, parity: null });
  }
}
