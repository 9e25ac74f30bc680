/** What is expected of the second sending of a request. */
export type Outcome =
  /** As the first run's client saw it (or would have), marked as replayed. */
  | "replayed"
  /** The answer was streamed: 409 `stream-completed`. */
  | "streamed"
  /** The first run broke or answered 5xx: 409, never a second run. */
  | "refused";

/** Row of the table → paths of its scenes, and what a second sending gets. */
export const SCENE_ROWS: Readonly<Record<string, { readonly paths: readonly string[]; readonly outcome: Outcome }>> = {
  "text in every encoding: `end`": { paths: encodings("end"), outcome: "replayed" },
  "text in every encoding: `write`": { paths: encodings("write"), outcome: "replayed" },
  "`writeHead` in every form": {
    paths: ["head/object", "head/list", "head/reason", "head/twice"],
    outcome: "replayed",
  },
  "written in pieces": { paths: ["pieces", "flushed"], outcome: "replayed" },
  "early hints (103)": { paths: ["hints"], outcome: "replayed" },
  "a piped file": { paths: ["pipe", "pipeline"], outcome: "replayed" },
  "the framework's own file sending": { paths: ["file"], outcome: "replayed" },
  "the framework's own JSON": { paths: ["native-json"], outcome: "replayed" },
  late: { paths: ["late"], outcome: "replayed" },
  "ended twice, written after the end": { paths: ["twice", "after-end"], outcome: "replayed" },
  "a header changed after it was sent": { paths: ["set-late"], outcome: "replayed" },
  "an undefined header": { paths: ["undefined-header"], outcome: "refused" },
  "the framework's 4xx error": { paths: ["throw-4xx"], outcome: "replayed" },
  "thrown before the answer": { paths: ["throw-before"], outcome: "refused" },
  "thrown while writing": { paths: ["throw-while"], outcome: "refused" },
  "thrown after the answer": { paths: ["throw-after"], outcome: "replayed" },
  "the connection destroyed by the handler": { paths: ["destroy"], outcome: "refused" },
  "a status outside 200 to 599": { paths: ["status/600", "status/999"], outcome: "refused" },
  "an answer of 300 KiB": { paths: ["big"], outcome: "streamed" },
  "an event stream": { paths: ["sse"], outcome: "streamed" },
  "a timeout's 503": { paths: ["timeout"], outcome: "refused" },
};

export const ENCODINGS: readonly (readonly [encoding: string, text: string])[] = [
  ["utf8", "hé€"],
  ["UTF-8", "hé€"],
  ["latin1", "hé"],
  ["binary", "hé"],
  ["ascii", "he"],
  ["base64", "aGVsbG8="],
  ["base64url", "aGVsbG8_-_"],
  ["hex", "68656c6c6f"],
  ["utf16le", "hé"],
  ["UCS-2", "hé"],
];

function encodings(how: string): string[] {
  return ["utf8", "UTF-8", "latin1", "binary", "ascii", "base64", "base64url", "hex", "utf16le", "UCS-2"].map(
    (encoding) => `encoding/${how}/${encoding}`,
  );
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
export const BIG_CHUNK = Buffer.alloc(16_384, "sluice ");
export const BIG_CHUNKS = 19;
/** How long the handler of the scene `timeout` works; its timeout is much shorter. */
export const SLOW_MS = 250;

/**
 * Handlers of `slow` scenes wait here, by key, until the suite lets them go on. Shared with bundled copies of this
 * file.
 */
const gates: Map<string, { readonly opened: Promise<void>; open(): void }> = ((
  globalThis as unknown as { sluiceGates?: Map<string, never> }
).sluiceGates ??= new Map());

function gate(key: string) {
  let found = gates.get(key);
  if (found === undefined) {
    let open = () => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    found = { opened, open };
    gates.set(key, found);
  }
  return found;
}

export const gateOf = (key: unknown): Promise<void> => gate(`${key}`).opened;
export const openGate = (key: string): void => gate(key).open();

/** How often a handler ran under a key. */
export class Runs {
  readonly #counts = new Map<string, number>();

  count(key: unknown): void {
    if (typeof key === "string") this.#counts.set(key, this.of(key) + 1);
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }
}
