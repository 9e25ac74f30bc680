import { readFile } from "node:fs/promises";
import { httpAccess } from "../../drivers/access/http/index.ts";
import { readMap } from "../../host/read-map.ts";
import { systemClock } from "../../host/system-clock.ts";
import { converse } from "../../probe/target.ts";
import { headersAccess } from "../header-option.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { conversationLines } from "../format/conversation.ts";
import type { Terminal } from "../terminal.ts";

export interface MapTryOptions {
  readonly json: boolean;
  /** Null: the answer comes from `answer`. */
  readonly target: string | null;
  /** A saved answer to read instead of asking. */
  readonly answer: string | null;
  readonly question: string;
  readonly k: number;
  readonly header: readonly string[];
}

const TIMEOUT_MS = 30_000;
const NOWHERE = "http://127.0.0.1/";

/** `sluice map try FILE`: one question, as the mapping sends it and understands its answer. Exit 1 when it does not. */
export async function mapTry(file: string, options: MapTryOptions, terminal: Terminal): Promise<ExitCode> {
  const map = await readMap(file);
  const saved = options.answer === null ? null : await readFile(options.answer, "utf8");
  const access = headersAccess(options.header);
  const target = {
    url: options.target ?? NOWHERE,
    pins: null,
    map,
    access: saved !== null || access === null ? null : httpAccess(access, systemClock()),
  };
  const talk = await converse(
    target,
    { question: options.question, k: options.k, seed: 1 },
    {
      fetch: saved === null ? fetch : () => Promise.resolve(new Response(saved)),
      clock: systemClock(),
      timeoutMs: TIMEOUT_MS,
      signal: AbortSignal.timeout(2 * TIMEOUT_MS),
    },
  );
  if (options.json) {
    const { request, status, result, tookMs } = talk;
    terminal.data(JSON.stringify({ request, status, took_ms: Math.round(tookMs), result }));
  } else for (const line of conversationLines(talk, null)) terminal.data(line);
  const isDenied = talk.status === 401 || talk.status === 403;
  if (isDenied && options.header.length === 0)
    terminal.say(
      "the service wants credentials: give them with --header 'authorization: Bearer ${NAME}' or --header 'x-api-key: ${NAME}', as often as needed",
    );
  return talk.result.kind === "answer" ? EXIT.ok : EXIT.toolError;
}
