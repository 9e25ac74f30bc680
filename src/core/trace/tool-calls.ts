import type { ToolCall } from "../window/service-event.ts";

/** Calls of one tool with the same arguments in one trace that make a loop. @source definitions.md §8 "Tool loop" */
const LOOP_CALLS = 3;
/** Calls nested deeper than this are a loop too: an agent that asks itself. */
const DEPTH_MAX = 16;
/** Different calls remembered in one generation; the calls of one trace come close together. */
const REMEMBERED = 65_536;

/**
 * Counts repeated tool calls. Remembers two generations of calls, the full one and the one being filled, so that memory
 * is bounded: a loop spread over more than that many other calls is missed, and none is ever invented.
 */
export class ToolCalls {
  #filling = new Map<string, number>();
  #full = new Map<string, number>();

  /** True when this call makes it a loop; later repetitions, and further deep calls, belong to the same loop. */
  loops(traceId: string, { name, args_digest: argsDigest, depth = 0 }: ToolCall): boolean {
    const isSame = this.#count(`${traceId}\n${name}\n${argsDigest}`) === LOOP_CALLS;
    const isTooDeep = depth > DEPTH_MAX && this.#count(`${traceId}\n`) === 1;
    return isSame || isTooDeep;
  }

  #count(key: string): number {
    const calls = (this.#filling.get(key) ?? this.#full.get(key) ?? 0) + 1;
    if (this.#filling.size >= REMEMBERED) {
      this.#full = this.#filling;
      this.#filling = new Map();
    }
    this.#filling.set(key, calls);
    return calls;
  }
}

/** Loops among the calls that one answer took; null where nobody told of calls. */
export function loopsOf(calls: readonly ToolCall[] | undefined): number | null {
  if (calls === undefined) return null;
  const seen = new ToolCalls();
  return calls.filter((call) => seen.loops("", call)).length;
}
