/**
 * What an answer may be besides failed, by the name of its rate: 1 or 0 for each answer that somebody told of. The
 * gateway sees empty answers and abandoned streams itself; the rest only a service can say.
 */
const UNIT_EVENTS = [
  "refusalRate",
  "emptyRate",
  "truncationRate",
  "thumbsDownRate",
  "regenerationRate",
  "abandonedRate",
] as const;
export type UnitEventSignal = (typeof UNIT_EVENTS)[number];

/** What an answer may cost: tokens, money in the unit the service counts in, milliseconds to the first piece of it. */
const AMOUNTS = ["tokensIn", "tokensOut", "costPerAnswer", "firstTokenMs"] as const;
export type AmountSignal = (typeof AMOUNTS)[number];

export const SIGNALS = [...UNIT_EVENTS, ...AMOUNTS] as const;
export type Signal = (typeof SIGNALS)[number];

/** What is known of one answer; an absent signal is one nobody told, which is no zero. */
export type Told = Readonly<Partial<Record<Signal, number>>>;

const EVENTS: ReadonlySet<Signal> = new Set(UNIT_EVENTS);

/** Whether a signal happens or does not, and is no amount. */
export function isUnitEvent(signal: Signal): signal is UnitEventSignal {
  return EVENTS.has(signal);
}

/** What a user does later, and says once: every answer had the chance of it, told or not. */
const FEEDBACK: ReadonlySet<Signal> = new Set(["thumbsDownRate", "regenerationRate"]);

/** Whether a signal is told by a later request of the user, so that each answer is a chance of it. */
export function isFeedback(signal: Signal): boolean {
  return FEEDBACK.has(signal);
}

/** What is asked of what was told. */
export function onlyOf(told: Told, asked: readonly Signal[]): Told {
  const found: Partial<Record<Signal, number>> = {};
  for (const signal of asked) {
    const value = told[signal];
    if (value !== undefined) found[signal] = value;
  }
  return found;
}

/** Money in windows is whole millionths of its unit. */
const COST_PARTS = 1_000_000;

/** A whole number of a window as the amount it stands for. */
export function amountOf(signal: Signal, whole: number): number {
  return signal === "costPerAnswer" ? whole / COST_PARTS : whole;
}

/** An amount as the whole number that a window carries for a unit. */
export function wholeAmount(signal: Signal, amount: number): number {
  return Math.round(signal === "costPerAnswer" ? amount * COST_PARTS : amount);
}
