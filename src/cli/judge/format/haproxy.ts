import type { ErrorStage } from "../../../core/window/error-class.ts";
import {
  firstOf,
  firstPresent,
  type LogEvent,
  type LogFormat,
  type LogRecord,
  statusOf,
  usualArm,
} from "./log-format.ts";
import { clfTime } from "./clf-time.ts";

/** Where the session was when it ended, by the second letter. */
const STAGES: Readonly<Record<string, ErrorStage>> = {
  Q: "connect",
  C: "connect",
  H: "headers",
  D: "body",
  L: "body",
};
const CLIENT_CLOSED = 499;

/** Whether the first of the two letters of a session's end says that the client ended it. */
function isByClient(state: unknown): boolean {
  return typeof state === "string" && state.length >= 2 && (state.startsWith("C") || state.startsWith("c"));
}

/** What the two letters say of the server. @source HAProxy documentation, "Session state at disconnection"; 3.2 */
function failureOf(state: unknown): LogEvent["error_class"] {
  if (typeof state !== "string" || state.length < 2) return undefined;
  const [cause, stage] = [state.charAt(0), STAGES[state.charAt(1)]];
  if (stage === undefined || (cause !== "S" && cause !== "s")) return undefined;
  return cause === "s" ? { stage, family: "timeout", code: "timeout" } : { stage, family: "network", code: "aborted" };
}

function armOf(record: LogRecord): unknown {
  return usualArm(record) ?? firstPresent(record["server"], record["s"], record["backend"], record["b"]);
}

function latencyMs(record: LogRecord): unknown {
  const active = firstPresent(record["Ta"], record["ta"], record["latency_ms"], record["duration_ms"]);
  return active ?? firstPresent(record["Tt"], record["tt"]);
}

/** HAProxy with a `log-format` that writes JSON; the names are those of its own variables. */
export const haproxy: LogFormat = {
  lines: "json",
  read(record, armFields, take) {
    const time = firstPresent(record["ts"], record["time"], record["accept_date"], record["timestamp"]);
    const status = firstPresent(record["status"], record["ST"], record["status_code"]);
    const state = firstPresent(record["tsc"], record["termination_state"]);
    take({
      ts: clfTime(time),
      arm: armFields === null ? armOf(record) : firstOf(record, armFields),
      status: isByClient(state) ? CLIENT_CLOSED : statusOf(status),
      error_class: failureOf(state),
      latency_ms: latencyMs(record),
      cold_start: record["cold_start"],
      probe: firstPresent(record["probe"], record["x_warm"]),
      sticky: record["sticky"],
      event_id: firstPresent(record["ID"], record["unique_id"], record["request_id"]),
    });
    return null;
  },
};
