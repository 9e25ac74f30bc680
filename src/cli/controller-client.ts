import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { createParser } from "eventsource-parser";
import type { SentEvent } from "../contract/events.ts";
import type { ProblemAnswer } from "../contract/problem.ts";
import { type AnswerOf, type BodyOf, filledPath, type PathOf, type Places } from "../contract/request.ts";
import type { Status } from "../contract/status.ts";
import { knownAddress } from "../host/controller-address.ts";
import { findController, findOwner } from "../host/data-directory-lock.ts";
import { TOKEN_FILES } from "../host/token-file.ts";
import { readText } from "../ports/bounded-body.ts";
import { describeProblem } from "../spec/excerpt.ts";
import { CliError } from "./cli-error.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

/** How a command finds its controller: by address, or by the data directory the controller owns. */
export interface ControllerAddress {
  readonly controller: string | null;
  readonly dataDir: string;
}

/** A refusal, or whatever answers at the address instead of a controller. */
type ProblemBody = Partial<ProblemAnswer>;

const EXIT_OF: Readonly<Record<string, ExitCode>> = {
  conflict: EXIT.conflict,
  generation: EXIT.conflict,
  superseded: EXIT.conflict,
  "invalid-document": EXIT.badUsage,
  "probes-unfit": EXIT.badUsage,
  "not-found": EXIT.badUsage,
};

/** The cause of an error that says that no controller answers, now. */
export const UNREACHABLE = "unreachable";

/** Exit code of a command that the controller refused with a problem of this title. */
export function exitOfProblem(title: string): ExitCode {
  return EXIT_OF[title] ?? EXIT.toolError;
}

/** Whatever answers at the address, it does not fill memory and does not hold a command for ever. */
const ANSWER_LIMITS = { bytesMax: 67_108_864, timeoutMs: 15_000 };

/** For what a whole database may take. */
const BODY_TIMEOUT_MS = 600_000;

/** The controller's HTTP API, as commands use it. */
export class ControllerClient {
  #url: string;
  readonly #token: string;
  readonly #missing: string | null;
  readonly #address: ControllerAddress;

  private constructor(url: string, token: string, missing: string | null, address: ControllerAddress) {
    this.#url = url.replace(/\/$/, "");
    this.#token = token;
    this.#missing = missing;
    this.#address = address;
  }

  get url(): string {
    return this.#url;
  }

  /** Finds the controller. Rejects with exit code 1 and what to do when there is none. */
  static async connect(address: ControllerAddress): Promise<ControllerClient> {
    const { controller, dataDir } = address;
    const owner = await findOwner(dataDir);
    const url = controller ?? owner?.apiUrl ?? (owner === null ? await knownAddress(dataDir) : null);
    if (url == null && owner !== null) {
      const advice = `it may be starting, busy or stopped: look at it (ps -o stat= -p ${owner.pid}) and try again`;
      throw new CliError(
        EXIT.toolError,
        `process ${owner.pid} owns ${dataDir} and does not answer; ${advice}`,
        UNREACHABLE,
      );
    }
    if (url === null) {
      const advice = `start one with "sluice serve --data ${dataDir}", or name its address with --controller`;
      throw new CliError(EXIT.toolError, `no controller owns the data directory ${dataDir}; ${advice}`, UNREACHABLE);
    }
    const { token, missing } = await tokenOf(join(dataDir, TOKEN_FILES.admin));
    return new ControllerClient(url, token, missing, address);
  }

  async get<Path extends PathOf<"GET">>(path: Path, places: Places<Path>): Promise<AnswerOf<"GET", Path>> {
    const headers = { authorization: `Bearer ${this.#token}` };
    return this.#answer(await this.#fetch(filledPath(path, places), { headers }));
  }

  /** A body that is no JSON; whoever reads it ends it. */
  async body(path: PathOf<"GET">): Promise<ReadableStream<Uint8Array>> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const response = await this.#fetch(path, { headers, signal: AbortSignal.timeout(BODY_TIMEOUT_MS) });
    if (response.ok && response.body !== null) return response.body;
    await this.#answer(response);
    throw new CliError(EXIT.toolError, `the controller at ${this.url} answered ${path} with nothing`);
  }

  status(rolloutId: string): Promise<Status> {
    return this.get("/v1/rollouts/{id}", { id: rolloutId });
  }

  /** Sends a change. `text` is the document a problem's position refers to. */
  async post<Path extends PathOf<"POST">>(
    path: Path,
    places: Places<Path>,
    body: BodyOf<Path>,
    document?: { readonly file: string; readonly text: string },
  ): Promise<AnswerOf<"POST", Path>> {
    const headers = {
      "content-type": "application/json",
      authorization: `Bearer ${this.#token}`,
      "idempotency-key": randomUUID(),
      "x-sluice-operator": userInfo().username,
    };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    return this.#answer(await this.#fetch(filledPath(path, places), init), document);
  }

  /** Everything that happens from now on, until `signal` aborts. Reconnects where it left when the stream breaks. */
  async *events(signal: AbortSignal): AsyncGenerator<SentEvent> {
    let lastId: string | null = null;
    while (!signal.aborted) {
      const headers: Record<string, string> = {
        accept: "text/event-stream",
        authorization: `Bearer ${this.#token}`,
        ...(lastId === null ? {} : { "last-event-id": lastId }),
      };
      const response = await this.#fetch("/v1/events", { headers, signal }).catch(() => null);
      const waiting: { id: string | undefined; event: SentEvent }[] = [];
      const parser = createParser({
        onEvent: ({ id, data }) => waiting.push({ id, event: JSON.parse(data) as SentEvent }),
      });
      try {
        const decoder = new TextDecoder();
        for await (const chunk of response?.body ?? []) {
          parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
          for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
            lastId = next.id ?? lastId;
            yield next.event;
          }
        }
      } catch {
        if (signal.aborted) return;
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      const signal = init.signal ?? AbortSignal.timeout(ANSWER_LIMITS.timeoutMs);
      return await fetch(this.url + path, { ...init, signal });
    } catch (error) {
      if (init.signal?.aborted === true) throw error;
      if (await this.#hasMoved()) return this.#fetch(path, init); // Nothing was sent, or the same key is sent again.
      const { cause } = error as { cause?: NodeJS.ErrnoException };
      if ((error as Error).name === "TimeoutError") {
        const found = `the controller at ${this.url} took the connection and gave no answer in`;
        const advice = "look whether its process is stopped or its disk hangs, and try again";
        throw new CliError(EXIT.toolError, `${found} ${ANSWER_LIMITS.timeoutMs / 1_000} s; ${advice}`, error);
      }
      const reason = cause?.code ?? (error instanceof Error ? error.message : String(error));
      throw new CliError(
        EXIT.toolError,
        `no controller answers at ${this.url} (${reason}); is "sluice serve" running?`,
        UNREACHABLE,
      );
    }
  }

  /** True when the data directory's controller listens somewhere else by now: it was started again. */
  async #hasMoved(): Promise<boolean> {
    if (this.#address.controller !== null) return false;
    const url = (await findController(this.#address.dataDir))?.apiUrl.replace(/\/$/, "");
    if (url === undefined || url === this.#url) return false;
    this.#url = url;
    return true;
  }

  /** The answer as the contract has it: a controller of another version may leave out or add fields. */
  async #answer<Answer>(
    response: Response,
    document?: { readonly file: string; readonly text: string },
  ): Promise<Answer> {
    const { kind, text } = await readText(response.body, {
      bytesMax: ANSWER_LIMITS.bytesMax,
      until: AbortSignal.timeout(ANSWER_LIMITS.timeoutMs),
    });
    if (kind !== "whole") {
      const limit = `${ANSWER_LIMITS.bytesMax} bytes and ${ANSWER_LIMITS.timeoutMs / 1_000} s`;
      throw new CliError(EXIT.toolError, `what answers at ${this.url} is no controller: more than ${limit}`);
    }
    const body = jsonOf(text);
    if (response.ok) return body as Answer;
    if (response.status === 401 && this.#missing !== null) throw new CliError(EXIT.toolError, this.#missing);
    const { title = "unknown", detail = `status ${response.status}`, problems = [] } = body as ProblemBody;
    const listed = problems.map((problem) =>
      describeProblem(problem, document?.file ?? "document", document?.text ?? ""),
    );
    throw new CliError(exitOfProblem(title), [...listed, detail].join("\n"), title);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/**
 * The token of the environment, else of a file. Where there is neither, what to say once a controller asks for one:
 * that none answers at all is worse, and is told first.
 */
async function tokenOf(file: string): Promise<{ readonly token: string; readonly missing: string | null }> {
  const given = process.env["SLUICE_TOKEN"];
  const read = given ?? (await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => error));
  if (read instanceof Error) {
    const found = `no token: SLUICE_TOKEN is not set and ${file} cannot be read (${read.code})`;
    const advice = "name the controller's data directory with --data, or run `sluice token use` with one made for you";
    return { token: "", missing: `${found}; ${advice}` };
  }
  const token = read.trim();
  if (token !== "") return { token, missing: null };
  const advice = given === undefined ? "make one with `sluice token create`" : "set it, or unset it to use the file";
  const place = given === undefined ? `the token file ${file}` : "the variable SLUICE_TOKEN";
  throw new CliError(EXIT.toolError, `${place} is empty; expected a token; ${advice}`);
}
