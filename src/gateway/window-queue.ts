import type { TelemetryWindow } from "../core/window/window.ts";

/** Ten minutes of windows at one each 250 ms. */
const WINDOWS_KEPT = 2_400;

/** Windows the controller has not acknowledged yet, oldest first. Bounded: without a controller the oldest go. */
export class WindowQueue {
  #windows: TelemetryWindow[] = [];
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
    this.#windows.push(window);
    if (this.#windows.length <= this.#max) return;
    this.#windows.shift();
    this.#dropped++;
  }

  /** The oldest windows, at most `count` and about `charsMax` of JSON, but at least one when there is one. */
  oldest(count: number, charsMax: number): { readonly windows: readonly TelemetryWindow[]; readonly json: string } {
    const parts: string[] = [];
    let chars = 0;
    for (const window of this.#windows.slice(0, count)) {
      const part = JSON.stringify(window);
      if (parts.length > 0 && chars + part.length > charsMax) break;
      parts.push(part);
      chars += part.length;
    }
    return { windows: this.#windows.slice(0, parts.length), json: `[${parts.join(",")}]` };
  }

  /** Forgets every window up to this sequence number. */
  acknowledge(seq: number): void {
    let count = 0;
    while (count < this.#windows.length && (this.#windows[count] as TelemetryWindow).seq <= seq) count++;
    this.#windows.splice(0, count);
  }

  /** Gives up on windows the controller refuses for good. */
  drop(seq: number): void {
    const before = this.#windows.length;
    this.acknowledge(seq);
    this.#dropped += before - this.#windows.length;
  }
}
