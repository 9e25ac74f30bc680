import type { ErrorClass } from "./window.ts";

/** Where in the life of a request it failed, in the order of the request. */
export type ErrorStage = "connect" | "tls" | "headers" | "body" | "tool";

/** What kind of failure it was. `other` also takes the classes beyond a window's cap. */
export type ErrorFamily = "5xx" | "timeout" | "network" | "other";

const CLASS = /^(?:connect|tls|headers|body|tool)\|[a-z0-9-]{1,16}\|[A-Za-z0-9_.-]{1,48}$/;
const CODE = /^[A-Za-z0-9_.-]{1,48}$/;

/** Whether `text` has the form `stage|family|code`. Refuses `__proto__` and every other word of JavaScript's own. */
export function isErrorClass(text: string): boolean {
  return CLASS.test(text);
}

/**
 * Class of a failure. A code that is no short word (a message, a path) becomes `other`: classes are counted and must
 * stay few.
 * @source definitions.md §8
 */
export function errorClassOf(stage: ErrorStage, family: ErrorFamily, code: string | number): ErrorClass {
  const word = String(code);
  return `${stage}|${family}|${CODE.test(word) ? word : "other"}`;
}

/** Class of an answer's status, or null when the status is no failure of the arm: only 5xx is. */
export function errorClassOfStatus(status: number): ErrorClass | null {
  return status >= 500 && status <= 599 ? errorClassOf("headers", "5xx", status) : null;
}

/** Class that takes what the cap leaves out, so that counts still sum. Keeps the stage. */
export function otherClassOf(errorClass: ErrorClass): ErrorClass {
  return `${errorClass.slice(0, errorClass.indexOf("|"))}|other|other`;
}

/** What a class means, as what a request did: "answered 401", "found no connection (ECONNREFUSED)". */
export function describeErrorClass(errorClass: ErrorClass): string {
  const [stage = "", family = "", code = ""] = errorClass.split("|");
  if (family === "timeout") return stage === "body" ? "did not end in time" : "had no answer in time";
  if (stage === "connect") return `found no connection (${code})`;
  if (stage === "tls") return `found no connection it may trust (${code})`;
  if (family === "network") return stage === "body" ? `broke off within the answer (${code})` : `broke off (${code})`;
  if (code === "not-json") return "answered something that is not JSON";
  if (code === "too-large") return "answered more than 4 MiB";
  return /^\d{3}$/.test(code) ? `answered ${code}` : `failed (${errorClass})`;
}
