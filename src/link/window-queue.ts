import type { TelemetryWindow } from "../core/window/window.ts";

/** Ten minutes of windows at one each 250 ms. */
const WINDOWS_KEPT = 2_400;

/** A window as it is sent, made once however often it is. */
interface QueuedWindow {
  readonly seq: number;
  readonly json: string;
}

/** Windows the controller has not acknowledged yet, oldest first. Bounded: without a controller the oldest go. */
export class WindowQueue {
  #windows: QueuedWindow[] = [];
  #dropped = 0;
  readonly #max: number;

  constructor(max = WINDOWS_KEPT) {
    this.#max = max;
  }

  get length(): number {
    return this.#windows.length;
  }

  /** Windows lost because the controller was away too long, or would not take them. */
  get dropped(): number {
    return this.#dropped;
  }

  add(window: TelemetryWindow): void {
    this.#windows.push({ seq: window.seq, json: JSON.stringify(window) });
    if (this.#windows.length <= this.#max) return;
    this.#windows.shift();
    this.#dropped++;
  }

  /** The oldest windows, at most `count` and about `charsMax` of JSON, but at least one when there is one. */
  oldest(count: number, charsMax: number): { readonly windows: readonly QueuedWindow[]; readonly json: string } {
    let taken = 0;
    let chars = 0;
    for (const { json } of this.#windows.slice(0, count)) {
      chars += json.length;
      if (taken > 0 && chars > charsMax) break;
      taken++;
    }
    const windows = this.#windows.slice(0, taken);
    return { windows, json: `[${windows.map(({ json }) => json).join(",")}]` };
  }

  /** Forgets every window up to this sequence number. */
  acknowledge(seq: number): void {
    let count = 0;
    while (count < this.#windows.length && (this.#windows[count] as QueuedWindow).seq <= seq) count++;
    this.#windows.splice(0, count);
  }

  /** Gives up on windows the controller refuses for good. */
  drop(seq: number): void {
    const before = this.#windows.length;
    this.acknowledge(seq);
    this.#dropped += before - this.#windows.length;
  }
}
