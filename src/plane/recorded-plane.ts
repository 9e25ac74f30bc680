import { createRecorder, type Recorder } from "../core/window/recorder.ts";
import type { TelemetryWindow } from "../core/window/window.ts";
import type { Clock } from "../ports/clock.ts";
import { Plane, type PlaneOptions } from "./plane.ts";

export interface RecordedPlaneOptions<P> extends PlaneOptions<P> {
  /** Name in telemetry, unique for each start of a process: its windows are numbered from 0. */
  readonly gatewayId: string;
  readonly clock: Clock;
  /** Called with every closed window, in order. */
  readonly onWindow: (window: TelemetryWindow) => void;
}

/** A data plane that counts what it serves: every window lies under one document, from its adoption to the next one. */
export class RecordedPlane<P> extends Plane<P> {
  readonly recorder: Recorder;
  readonly #clock: Clock;
  readonly #onWindow: (window: TelemetryWindow) => void;

  constructor(options: RecordedPlaneOptions<P>) {
    const { gatewayId, clock, onWindow } = options;
    super({
      ...options,
      onAdopt: (document) => {
        onWindow(this.recorder.adopt(this.routed, clock.wallMs()));
        options.onAdopt?.(document);
      },
    });
    this.recorder = createRecorder({ gatewayId, document: this.routed, startMs: clock.wallMs() });
    this.#clock = clock;
    this.#onWindow = onWindow;
  }

  /** Closes the running window and begins the next one. */
  cut(): void {
    this.#onWindow(this.recorder.cut(this.#clock.wallMs()));
  }
}
