import { printableLine } from "../../core/printable.ts";
import type { SentEvent } from "../../contract/events.ts";
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

function percent(bp: number): string {
  return `${bp / 100} %`;
}

/**
 * One event as a line for people; null for events that are noise on a terminal. Glyph, word and colour, never colour
 * alone.
 */
export function eventLine(event: SentEvent, terminal: Terminal): string | null {
  const at = terminal.paint("dim", clock(event.ts));
  switch (event.type) {
    case "stage": {
      const name = event.kind === "probes" ? "probes" : percent(event.share_bp);
      return `${at} ${terminal.paint("strong", `stage ${event.index}: ${name}`)}`;
    }
    case "verdict": {
      const { gate, verdict, reason } = event;
      if (verdict === "no-data") return null; // Before the first answers every gate says so; only a lasting silence matters.
      const [glyph, style] = GLYPHS[verdict] ?? ["?", "warn"];
      return `${at}   ${terminal.paint(style, `${glyph} ${gate} ${verdict}`)}  ${printableLine(reason)}`;
    }
    case "phase": {
      const { phase, gate, cause, look_at: lookAt = null } = event;
      const by = gate === null ? "" : ` by ${gate}`;
      const why = cause === null ? "" : `${by}: ${printableLine(cause)}`;
      const advice = lookAt === null ? "" : `; look at ${printableLine(lookAt)}`;
      const style: Style = phase === "promoted" ? "good" : /roll|abort/.test(phase) ? "bad" : "strong";
      return `${at} ${terminal.paint(style, phase.toUpperCase())}${why}${advice}`;
    }
    case "note":
      return `${at}   ${printableLine(event.text)}`;
    default:
      return null;
  }
}
