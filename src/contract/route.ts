import type { z } from "zod";
import type { ProblemCode } from "./problem.ts";
import type { Right } from "./scope.ts";

/** The body of an answer, by what it is: JSON, a stream of events with JSON data, or something else. */
export interface Content {
  readonly json?: z.ZodType;
  /** Data of every event of a stream. */
  readonly events?: z.ZodType;
  /** Media type of a body that is neither. */
  readonly other?: string;
}

/** One request that the controller answers. */
export interface Route {
  /** Name of the operation, for clients that are generated. */
  readonly id: string;
  readonly says: string;
  /** What the sender's token must allow; null: none is asked for. */
  readonly right: Right | null;
  /** A change that is carried out once for each `Idempotency-Key`, which it needs. */
  readonly isKeyed?: true;
  readonly body?: z.ZodType;
  /** Headers and query parameters that are read, with what they do; none of them is needed. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** Answers of a request that is not refused, by status. */
  readonly answers: Readonly<Record<number, Content>>;
  /** Refusals of its own, beside those that every request and every keyed change may meet. */
  readonly refuses: readonly ProblemCode[];
}

/** What any request may meet: a foreign host or page, a token that is none or does not allow it, a crash. */
const REFUSED_ANYWHERE: readonly ProblemCode[] = ["forbidden", "internal-error"];
const REFUSED_WITHOUT_RIGHT: readonly ProblemCode[] = ["unauthorized"];
const REFUSED_BY_KEY: readonly ProblemCode[] = ["bad-request", "too-large", "in-flight", "key-reused"];

/** Every code that a route may refuse a request with. */
export function refusalsOf({ right, isKeyed, refuses }: Route): readonly ProblemCode[] {
  const guarded = right === null ? [] : REFUSED_WITHOUT_RIGHT;
  const keyed = isKeyed === true ? REFUSED_BY_KEY : [];
  return [...new Set([...REFUSED_ANYWHERE, ...guarded, ...keyed, ...refuses])];
}
