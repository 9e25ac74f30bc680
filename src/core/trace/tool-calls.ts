/** Calls of one tool with the same arguments in one trace that make a loop. @source definitions.md §8 "Tool loop" */
const LOOP_CALLS = 3;
/** Different calls remembered in one generation; the calls of one trace come close together. */
const REMEMBERED = 65_536;

/**
 * Counts repeated tool calls. Remembers two generations of calls, the full one and the one being filled, so that memory
 * is bounded: a loop spread over more than that many other calls is missed, and none is ever invented.
 */
export class ToolCalls {
  #filling = new Map<string, number>();
  #full = new Map<string, number>();

  /** True when this call makes it a loop; later repetitions belong to the same loop. */
  repeats(traceId: string, tool: string, argsDigest: string): boolean {
    const key = `${traceId}\n${tool}\n${argsDigest}`;
    const calls = (this.#filling.get(key) ?? this.#full.get(key) ?? 0) + 1;
    if (this.#filling.size >= REMEMBERED) {
      this.#full = this.#filling;
      this.#filling = new Map();
    }
    this.#filling.set(key, calls);
    return calls === LOOP_CALLS;
  }
}
