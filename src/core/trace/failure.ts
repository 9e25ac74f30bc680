import { type ErrorStage, errorClassOf, errorClassOfStatus, isErrorClass } from "../window/error-class.ts";
import type { ErrorClass } from "../window/window.ts";

const STAGES: readonly string[] = ["connect", "tls", "headers", "body", "tool"] satisfies readonly ErrorStage[];
const FAMILY = /^[a-z0-9-]{1,16}$/;
/** Spellings of one class remembered, so that a failing event costs a lookup and not a check of every part. */
const REMEMBERED = 1_024;

/** An event says it failed, in a way that is no class: what it says. */
export interface Unclassified {
  readonly reason: string;
}

/**
 * The class of an event's failure: what `error_class` says, else a timeout of `timeout_stage`, else a 5xx status. Null
 * when the arm did not fail.
 * @source definitions.md §8 "Error class", §10
 */
export class FailureReader {
  readonly #classes = new Map<string, ErrorClass>();

  classOf(given: unknown, timeoutStage: unknown, status: unknown): ErrorClass | null | Unclassified {
    if (given !== undefined && given !== null && given !== "") return this.#given(given);
    if (typeof timeoutStage === "string" && STAGES.includes(timeoutStage))
      return errorClassOf(timeoutStage as ErrorStage, "timeout", "timeout");
    return typeof status === "number" ? errorClassOfStatus(status) : null;
  }

  #given(given: unknown): ErrorClass | Unclassified {
    if (typeof given === "string")
      return isErrorClass(given) ? given : { reason: `found error_class "${given.slice(0, 60)}", ${EXPECTED}` };
    if (typeof given !== "object") return { reason: `found error_class ${String(given)}, ${EXPECTED}` };
    const { stage, family, code } = given as { stage?: unknown; family?: unknown; code?: unknown };
    const spelling = `${wordOf(stage)}|${wordOf(family)}|${wordOf(code)}`;
    const known = this.#classes.get(spelling);
    if (known !== undefined) return known;
    if (typeof stage !== "string" || !STAGES.includes(stage))
      return { reason: `found error_class.stage ${wordOf(stage).slice(0, 60)}, expected ${STAGES.join(", ")}` };
    const lower = wordOf(family).toLowerCase();
    const word = errorClassOf(stage as ErrorStage, "other", typeof code === "number" ? code : wordOf(code ?? "other"));
    const named = FAMILY.test(lower) ? word.replace("|other|", `|${lower}|`) : word;
    if (this.#classes.size < REMEMBERED) this.#classes.set(spelling, named);
    return named;
  }
}

const EXPECTED = "expected {stage, family, code} or stage|family|code";

/** A value as text; what JSON parts further is not looked into, whatever its members are called. */
function wordOf(value: unknown): string {
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
