import { admitWindow } from "../window/admit-window.ts";
import { mergeArmWindows } from "../window/merge.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW, type TelemetryWindow } from "../window/window.ts";
import type { ArmNames } from "./arm-names.ts";
import { Deliveries } from "./deliveries.ts";
import { EventReader } from "./event-reader.ts";
import type { LineJudge } from "./judgement.ts";
import { SecondFolder } from "./second-folder.ts";

/** The first line that could not be used. */
interface BadLine {
  readonly line: number;
  readonly reason: string;
}

/**
 * Seconds of stable traffic out of recorded lines: wide events, telemetry windows, or both. What a rehearsal draws
 * from. Memory grows with the recorded seconds, not with the events.
 */
export class TraceRecording implements Pick<LineJudge, "take" | "refuse"> {
  readonly #reader: EventReader;
  readonly #deliveries = new Deliveries();
  readonly #seconds = new Map<number, ArmWindow>();
  readonly #folder = new SecondFolder(({ endMs, arms }) => this.#add(endMs - 1, arms.stable));
  bad: BadLine | null = null;
  badLines = 0;

  constructor(names: ArmNames) {
    this.#reader = new EventReader(names);
  }

  take(json: unknown, line: number): boolean {
    const isWindow = typeof json === "object" && json !== null && Object.hasOwn(json, "gatewayId");
    const problem = isWindow ? this.#takeWindow(json) : this.#takeEvent(json);
    return problem === null ? false : this.refuse(problem, line);
  }

  refuse(reason: string, line: number): boolean {
    this.badLines++;
    this.bad ??= { line, reason };
    return false;
  }

  /** The seconds in their order, those without traffic left out. Call it once, after the last line. */
  finish(): readonly ArmWindow[] {
    this.#folder.finish();
    const used = [...this.#seconds].filter(([, window]) => window.requestsAll > 0);
    return used.sort(([a], [b]) => a - b).map(([, window]) => window);
  }

  #takeWindow(json: unknown): string | null {
    const admitted = admitWindow(json);
    if (Array.isArray(admitted)) return `${admitted[0]?.path}: ${admitted[0]?.message}`;
    const { endMs, arms } = admitted as TelemetryWindow;
    this.#add(endMs - 1, arms.stable);
    return null;
  }

  #takeEvent(json: unknown): string | null {
    const problem = this.#reader.read(json);
    if (problem !== null) return problem;
    const [unread] = this.#reader.unread;
    if (unread !== undefined) return unread.reason;
    const { deliveryId, isOwnId, atMs } = this.#reader;
    if (deliveryId !== null && this.#deliveries.isRepeated(deliveryId, isOwnId ? 0 : atMs)) return null;
    const second = this.#reader.arm === "stable" ? this.#folder.secondOf(this.#reader.atMs) : null;
    second?.armOf("stable").count(this.#reader);
    return null;
  }

  #add(atMs: number, window: ArmWindow): void {
    const second = Math.floor(atMs / 1_000);
    this.#seconds.set(second, mergeArmWindows(this.#seconds.get(second) ?? EMPTY_ARM_WINDOW, window));
  }
}
