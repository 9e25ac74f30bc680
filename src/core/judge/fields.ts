import type { Bp } from "../unit.ts";

/** A number within bounds. Whoever reads documents, prints tables or builds schemas takes it from here. */
export interface NumberForm {
  readonly kind: "number";
  readonly least: number;
  readonly most: number;
  /** Whether the bounds themselves are outside: both, or the lower one alone. Absent: both are inside. */
  readonly isOpen?: "both" | "least";
  readonly isWhole?: true;
}

/** What a document may write for an option. */
export type FieldForm =
  | NumberForm
  /** One number for each range of shares: `under10`, `under50` and `from50`. */
  | { readonly kind: "by-share"; readonly of: NumberForm }
  | { readonly kind: "choice"; readonly values: readonly string[] }
  | { readonly kind: "text" }
  /** A text that names an entry of another list of the document. */
  | { readonly kind: "name"; readonly of: "metrics" }
  /** A rule; `problems` are found without data. */
  | { readonly kind: "rule"; readonly problems: (text: string) => readonly string[] };

/**
 * Which way an option gets stricter, for the strictest of several presets. `lower` and `higher` are bounds (null is no
 * bound at all); a list runs from loose to strict; `first` is no bound: the first preset's choice stands.
 */
export type Tightening = "lower" | "higher" | "first" | readonly string[];

/** One option of a gate: its meaning, what may be written, and what counts when nothing is. */
export interface Field<T> {
  /** Completes "this option is …", with its unit. */
  readonly says: string;
  readonly form: FieldForm;
  readonly isNullable: boolean;
  /** What it is when a document says nothing; absent when a document has to say it. */
  readonly fallback?: T;
  readonly stricter: Tightening;
  /** Whether a value is of this option's type. The limits of its form are the document reader's business. */
  readonly accepts: (value: unknown) => value is T;
}

/** The options of a gate by name. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** Options as the gate sees them: every one there, each of its type. */
export type OptionsOf<F extends Fields> = {
  readonly [name in keyof F]: F[name] extends Field<infer T> ? T : never;
};

/** What is said of an option besides its form. */
interface About<T> {
  readonly says: string;
  readonly fallback?: T;
  readonly stricter?: Tightening;
}

/**
 * A bound that tightens as more users are exposed: shares below 10 %, from 10 % to below 50 %, and from 50 % on.
 * @source decision-policy.md, "Margins"
 */
export interface ByShare {
  readonly under10: number;
  readonly under50: number;
  readonly from50: number;
}

/** The bound in force at a share. */
export function boundAt(bounds: ByShare, candidateBp: Bp): number {
  if (candidateBp < 1_000) return bounds.under10;
  return candidateBp < 5_000 ? bounds.under50 : bounds.from50;
}

const isNumber = (value: unknown): value is number => typeof value === "number";
const isNumberOrNone = (value: unknown): value is number | null => value === null || isNumber(value);
const isText = (value: unknown): value is string => typeof value === "string";
const isTextOrNone = (value: unknown): value is string | null => value === null || isText(value);

/** Whether a value is a bound for each range of shares. */
export function isByShare(value: unknown): value is ByShare {
  if (typeof value !== "object" || value === null) return false;
  const bounds: Readonly<Record<string, unknown>> = { ...value };
  return ["under10", "under50", "from50"].every((range) => isNumber(bounds[range]));
}

/** An option that is one number. */
export function number(form: NumberForm, { stricter = "first", ...about }: About<number>): Field<number> {
  return { ...about, stricter, form, isNullable: false, accepts: isNumber };
}

/** An option that is a number or, as null, nothing. */
export function numberOrNone(
  form: NumberForm,
  { stricter = "first", ...about }: About<number | null>,
): Field<number | null> {
  return { ...about, stricter, form, isNullable: true, accepts: isNumberOrNone };
}

/** An option that is a number for each range of shares. */
export function byShare(of: NumberForm, { stricter = "first", ...about }: About<ByShare>): Field<ByShare> {
  return { ...about, stricter, form: { kind: "by-share", of }, isNullable: false, accepts: isByShare };
}

/** An option that is one of several words. */
export function choice<const Word extends string>(
  values: readonly Word[],
  { stricter = "first", ...about }: About<Word>,
): Field<Word> {
  const accepts = (value: unknown): value is Word => values.some((word) => word === value);
  return { ...about, stricter, form: { kind: "choice", values }, isNullable: false, accepts };
}

type TextForm = Exclude<FieldForm, NumberForm | { readonly kind: "by-share" | "choice" }>;

/** An option that is a text. */
export function text(form: TextForm, about: About<string>): Field<string> {
  return { ...about, stricter: "first", form, isNullable: false, accepts: isText };
}

/** An option that is a text or, as null, nothing. */
export function textOrNone(form: TextForm, about: About<string | null>): Field<string | null> {
  return { ...about, stricter: "first", form, isNullable: true, accepts: isTextOrNone };
}

/** Forms that several gates use. */
export const SHARE: NumberForm = { kind: "number", least: 0, most: 1 };
export const RATIO: NumberForm = { kind: "number", least: 1, most: 10, isOpen: "least" };
const PROBABILITY: NumberForm = { kind: "number", least: 0, most: 1, isOpen: "both" };
const SAMPLES: NumberForm = { kind: "number", least: 1, most: 10_000_000, isWhole: true };
const MS: NumberForm = { kind: "number", least: 1_000, most: 7 * 86_400_000, isWhole: true };

/**
 * How a limit is read. `sequential`: harm must be proven and the margin excluded, valid under continuous looking.
 * `literal`: the point estimate of the stage against the limit, once `minSamples` are there; `plan` prints how often
 * that stops a healthy candidate. @source decision-policy.md, "Literal mode"
 */
export const MODE = choice(["sequential", "literal"], {
  says: "how the limits are read: with proof under continuous looking, or literally against the stage's own estimate",
  fallback: "sequential",
});
export type Mode = OptionsOf<{ mode: typeof MODE }>["mode"];

/** What a gate without data does: hold the stage, or stay out of the decision until the first data arrive. */
export const ON_NO_DATA = choice(["hold", "skip"], {
  says: "what happens while nothing is measured: the stage holds, or the gate stays out of the decision",
  fallback: "hold",
  stricter: ["skip", "hold"],
});

/** Part of a rollout's error budget of 0.01 that one gate spends. */
export const ALPHA = number(PROBABILITY, {
  says: "the promised probability of stopping a healthy candidate, over the whole rollout",
  fallback: 0.001,
});
export const BETA = number(PROBABILITY, {
  says: "the probability of calling harm beyond the limit excluded when it is not",
  fallback: 0.05,
});

/** Least observations before a gate promotes. */
export function minSamples(says: string, fallback: number): Field<number> {
  return number(SAMPLES, { says, fallback, stricter: "higher" });
}

/** A time in milliseconds, from a second to a week. */
export function milliseconds(about: About<number>): Field<number> {
  return number(MS, about);
}
