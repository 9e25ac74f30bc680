import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** Errors of the operating system that a person can do something about, with what to do. */
const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space and start again, nothing was lost",
  EFBIG: "a file may not grow further (file size limit); raise the limit and start again, nothing was lost",
  EDQUOT: "the disk quota is used up; free some space and start again, nothing was lost",
  EIO: "the disk or what is mounted there failed; look at it before you start again",
  EACCES: "permission denied; check who owns it, or name another place",
  EPERM: "permission denied; check who owns it, or name another place",
  EROFS: "the file system is read-only; name a place that can be written",
  ENOENT: "there is no such file or folder; check the path",
  ENOTDIR: "a part of the path is a file, a folder was expected; name another one",
  EEXIST: "something of that name is there already and is no folder; name another one",
  EISDIR: "it is a folder, a file was expected; check the path",
  ELOOP: "the path is a circle of links; name another one",
  ENAMETOOLONG: "the path is too long; name a shorter one",
  ERR_INVALID_ARG_VALUE: "the path has a character that no path can have; name another one",
  EMFILE: "too many files are open; raise the limit (ulimit -n)",
  ENFILE: "the machine has too many files open",
  EADDRINUSE: "something listens there already; stop it or choose another port",
  EADDRNOTAVAIL: "this machine has no such address; use 127.0.0.1, 0.0.0.0 or one that `ip addr` lists",
  ENOTFOUND: "the name is not known; use an address, or check the name",
  EAI_AGAIN: "the name could not be looked up; use an address, or check the DNS",
  EINVAL: "it is no address that can be listened on; use one such as 127.0.0.1 or ::1",
  EAFNOSUPPORT: "this machine does not speak that kind of address; use an IPv4 one",
  ERR_SOCKET_BAD_PORT: "a port is a number from 0 to 65535",
};

/** Trouble with an address that trying again does not end: what was asked for is wrong. */
const WRONG_ADDRESS = new Set([
  "EADDRNOTAVAIL",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EINVAL",
  "EAFNOSUPPORT",
  "ERR_SOCKET_BAD_PORT",
]);

/** What to do about a failed call of the system; undefined when it is none we know, which is then our bug. */
export function systemAdvice(error: unknown): string | undefined {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? undefined : ADVICE[code];
}

/**
 * What to tell when an address cannot be listened on; null when that is not what happened.
 * @param asked where the address was asked for: an option, or a file and the place in it
 */
export function listenProblem(error: unknown, address: string, asked: string): CliError | null {
  const { code, syscall } = error as NodeJS.ErrnoException;
  const isListening = syscall === "listen" || syscall === "bind" || syscall === "getaddrinfo";
  const advice = systemAdvice(error);
  if (advice === undefined || !(isListening || code === "ERR_SOCKET_BAD_PORT")) return null;
  const exit = WRONG_ADDRESS.has(code as string) ? EXIT.badUsage : EXIT.toolError;
  return new CliError(exit, `cannot listen on ${address} (${asked}): ${code}; ${advice}`, error);
}
