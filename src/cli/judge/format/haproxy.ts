import { ARM_FIELDS, firstOf, type LogEvent, type LogFormat, statusOf } from "./log-format.ts";
import { clfTime } from "./clf-time.ts";

const TIMES = ["ts", "time", "accept_date", "timestamp"];
const ARMS = [...ARM_FIELDS, "server", "s", "backend", "b"];
const TOTALS = ["Ta", "ta", "latency_ms", "duration_ms", "Tt", "tt"];
const STATES = ["tsc", "termination_state"];
/** Where the session was when it ended, by the second letter. */
const STAGES: Readonly<Record<string, "connect" | "headers" | "body">> = {
  Q: "connect",
  C: "connect",
  H: "headers",
  D: "body",
  L: "body",
};

/** What the two letters of a session's end say. @source HAProxy documentation, "Session state at disconnection"; 3.2 */
function endOf(state: unknown): Pick<LogEvent, "status" | "error_class"> {
  if (typeof state !== "string" || state.length < 2) return {};
  const [cause, place] = [state.charAt(0), state.charAt(1)];
  if (cause === "C" || cause === "c") return { status: 499 };
  const stage = STAGES[place];
  if (stage === undefined || (cause !== "S" && cause !== "s")) return {};
  const [family, code] = cause === "s" ? ["timeout", "timeout"] : ["network", "aborted"];
  return { error_class: { stage, family, code } };
}

/** HAProxy with a `log-format` that writes JSON; the names are those of its own variables. */
export const haproxy: LogFormat = {
  lines: "json",
  read(record, armFields, take) {
    const time = firstOf(record, TIMES);
    take({
      ts: clfTime(time),
      arm: firstOf(record, armFields ?? ARMS),
      status: statusOf(firstOf(record, ["status", "ST", "status_code"])),
      latency_ms: firstOf(record, TOTALS),
      cold_start: record["cold_start"],
      probe: firstOf(record, ["probe", "x_warm"]),
      sticky: record["sticky"],
      event_id: firstOf(record, ["ID", "unique_id", "request_id"]),
      ...endOf(firstOf(record, STATES)),
    });
    return null;
  },
};
