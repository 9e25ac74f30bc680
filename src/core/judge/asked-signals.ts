import { type Signal, SIGNALS } from "../window/signals.ts";
import { ruleName } from "./custom/expression.ts";
import { gateNamed } from "./gates.ts";
import type { GateSetting } from "./setting.ts";

/** What the gates of a plan ask of answers, and the rules of its custom gates by name; nothing else is looked at. */
export function askedSignals(settings: readonly GateSetting[]): readonly Signal[] {
  const asked = new Set(settings.map(({ gate }) => gateNamed(gate).signal));
  const rules = settings.flatMap(({ gate, options }) =>
    Object.entries(gateNamed(gate).options).flatMap(([option, { form }]) =>
      form.kind === "rule" ? [String(options[option] ?? "")] : [],
    ),
  );
  return SIGNALS.filter((signal) => {
    const word = new RegExp(`\\b${ruleName(signal)}\\b`);
    return asked.has(signal) || rules.some((rule) => word.test(rule));
  });
}
