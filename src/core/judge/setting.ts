import type { Bp } from "../unit.ts";

/** One gate of a plan: its kind, its options with every default filled in, and where the document asked for it. */
export interface GateSetting {
  /** Its kind, e.g. `coverage`. */
  readonly gate: string;
  /** Which one it is, for a kind that may be used more than once. */
  readonly instance?: string;
  /** Options of the gate's kind; validated by the spec layer against the gate's own fields. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where the user asked for it, e.g. `preset default` or `rollout.yaml:31`. */
  readonly source: string;
  /** The shares at which the gate is asked; absent for all of them. Its evidence is gathered at every share. */
  readonly within?: ShareRange;
}

/** Shares of the candidate from `fromBp` to `toBp`, both included. */
export interface ShareRange {
  readonly fromBp: Bp;
  readonly toBp: Bp;
}

/** What tells one voice of a gate from another: settings have an instance, verdicts may have a topic beside it. */
interface Named {
  readonly gate: string;
  readonly instance?: string;
  readonly topic?: string;
}

/** A gate as people and other programs write it: `coverage`, `metric[queue-age]`, `coverage[billing]`. */
export function gateLabel({ gate, instance, topic }: Named): string {
  return `${gate}${instance === undefined ? "" : `[${instance}]`}${topic === undefined ? "" : `[${topic}]`}`;
}

/** The kind in such a label, and the instance or topic in its brackets; null without brackets. */
export function readGateLabel(label: string): { readonly gate: string; readonly about: string | null } {
  const [, gate = label, about = null] = /^([^[]*)\[(.*)\]$/.exec(label) ?? [];
  return { gate, about };
}

/** Whether a verdict is the word of this setting's gate, about all or about one topic. */
export function speaksFor(setting: Named, { gate, instance }: Named): boolean {
  return setting.gate === gate && setting.instance === instance;
}

/** Whether a gate is asked at this share. */
export function isInForce({ within }: GateSetting, candidateBp: Bp): boolean {
  return within === undefined || (candidateBp >= within.fromBp && candidateBp <= within.toBp);
}

/** Whether a gate stays out of the decision until its first data arrive; otherwise it holds the stage. */
export function maySkip({ options }: GateSetting): boolean {
  return options["onNoData"] === "skip";
}
