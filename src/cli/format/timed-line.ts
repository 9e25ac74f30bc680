import { printableLine } from "../../core/printable.ts";
import type { Terminal } from "../terminal.ts";

/** Talk of a process that runs for weeks: each line begins with its time, in UTC. */
export function timedTalk(terminal: Pick<Terminal, "say">): (line: string) => void {
  return (line) => terminal.say(`${new Date().toISOString()} ${printableLine(line)}`);
}
