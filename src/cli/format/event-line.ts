import { printableLine } from "../../core/printable.ts";
import type { WireEvent } from "../controller-client.ts";
import type { Style, Terminal } from "../terminal.ts";

const GLYPHS: Readonly<Record<string, readonly [glyph: string, style: Style]>> = {
  pass: ["✔", "good"],
  fail: ["✘", "bad"],
  inconclusive: ["◌", "warn"],
  "no-data": ["◌", "dim"],
  error: ["!", "warn"],
};

function clock(ts: number): string {
  return new Date(ts).toISOString().slice(11, 19);
}

function percent(bp: unknown): string {
  return `${Number(bp) / 100} %`;
}

/**
 * One event as a line for people; null for events that are noise on a terminal. Glyph, word and colour, never colour
 * alone.
 */
export function eventLine(event: WireEvent, terminal: Terminal): string | null {
  const at = terminal.paint("dim", clock(event.ts));
  switch (event.type) {
    case "stage": {
      const name = event["kind"] === "probes" ? "probes" : percent(event["share_bp"]);
      return `${at} ${terminal.paint("strong", `stage ${event["index"]}: ${name}`)}`;
    }
    case "verdict": {
      const kind = String(event["verdict"]);
      if (kind === "no-data") return null; // Before the first answers every gate says so; only a lasting silence matters.
      const [glyph, style] = GLYPHS[kind] ?? ["?", "warn"];
      return `${at}   ${terminal.paint(style, `${glyph} ${event["gate"]} ${kind}`)}  ${printableLine(String(event["reason"]))}`;
    }
    case "phase": {
      const by = event["gate"] === null ? "" : ` by ${event["gate"]}`;
      const cause = event["cause"] === null ? "" : `${by}: ${printableLine(String(event["cause"]))}`;
      const advice = typeof event["look_at"] === "string" ? `; look at ${printableLine(event["look_at"])}` : "";
      const phase = String(event["phase"]);
      const style: Style = phase === "promoted" ? "good" : /roll|abort/.test(phase) ? "bad" : "strong";
      return `${at} ${terminal.paint(style, phase.toUpperCase())}${cause}${advice}`;
    }
    case "note":
      return `${at}   ${printableLine(String(event["text"]))}`;
    default:
      return null;
  }
}
