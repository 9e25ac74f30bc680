import { ANSWER_ROWS, answerPath } from "./answers.ts";
import { BODY_ROWS, multipart } from "./bodies.ts";
import { ask, headerIn, open, problemIn, type Seen, type Sent } from "./client.ts";
import { openGate, type Outcome, pause, type Runs, SCENE_ROWS } from "./scenes.ts";

/** One framework under test, once with the fence and once without. */
export interface Served {
  readonly fencedUrl: string;
  readonly bareUrl: string;
  /** Counts runs by the header `idempotency-key`. */
  readonly runs: Runs;
  close(): Promise<unknown>;
}

export interface Framework {
  readonly name: string;
  /** Rows that mean nothing here, with the reason. */
  readonly lacks?: Readonly<Record<string, string>>;
  start(): Promise<Served>;
}

export type Cell = { readonly kind: "passed" } | { readonly kind: "failed"; readonly found: string };

const same = (a: Seen, b: Seen) =>
  a.status === b.status && a.body === b.body && a.isBroken === b.isBroken && `${a.headers}` === `${b.headers}`;
const show = ({ status, headers, body, isBroken }: Seen) =>
  `${status}${isBroken ? " broken" : ""} [${headers.join(" | ")}] ${JSON.stringify(body.slice(0, 120))}`;

/** What a replay has to look like: the first answer, without cookies, marked. */
function isReplayOf(first: Seen, again: Seen): boolean {
  const added = /^(idempotent-replayed|original-request-id):/;
  const plain = (seen: Seen) => seen.headers.filter((line) => !added.test(line) && !line.startsWith("set-cookie:"));
  return (
    headerIn(again, "idempotent-replayed") === "true" &&
    same({ ...first, headers: plain(first) }, { ...again, headers: plain(again) })
  );
}

let keys = 0;

/** One request through the oracle: as without the fence, then once more, then another body under the same key. */
async function once(served: Served, path: string, sent: Sent, other: Sent, outcome: Outcome): Promise<string | null> {
  const key = `k${++keys}`;
  const [bareUrl, url] = [`${served.bareUrl}/${path}`, `${served.fencedUrl}/${path}`];
  const bare = await ask(bareUrl, sent);
  const first = await ask(url, { ...sent, key });
  const isAsBare = same(bare, first) || (bare.isBroken && first.isBroken);
  if (!isAsBare) return `${path}: with the fence ${show(first)}; without ${show(bare)}`;
  if (`${bare.informational}` !== `${first.informational}`) return `${path}: informational answers differ`;
  const again = await ask(url, { ...sent, key });
  const runs = served.runs.of(key);
  if (runs !== 1) return `${path}: ran ${runs} times`;
  const isRight =
    outcome === "replayed"
      ? isReplayOf(first, again)
      : again.status === 409 &&
        (outcome === "streamed"
          ? problemIn(again) === "stream-completed"
          : ["outcome-unknown", "in-flight"].includes(problemIn(again) ?? ""));
  if (!isRight) return `${path}: the second sending got ${show(again)} after ${show(first)}`;
  const third = await ask(url, { ...other, key });
  if (third.status !== 422) return `${path}: another body under the key got ${show(third)}`;
  return served.runs.of(key) === 1 ? null : `${path}: another body ran`;
}

/** The client leaves while the handler runs: in flight meanwhile, one run, then its answer. */
async function leave(served: Served, scene: string): Promise<string | null> {
  const [key, url] = [`k${++keys}`, `${served.fencedUrl}/${scene}`];
  const asked = open(url, { key });
  for (let tries = 0; served.runs.of(key) === 0 && tries < 1_000; tries++) await pause(5);
  asked.leave();
  const early = await ask(url, { key });
  if (problemIn(early) !== "in-flight") return `${scene}: while it runs a second one got ${show(early)}`;
  openGate(key);
  for (let tries = 0; ; tries++) {
    const again = await ask(url, { key });
    if (again.status !== 409) {
      const isReplay = headerIn(again, "idempotent-replayed") === "true" && again.body !== "";
      return isReplay && served.runs.of(key) === 1 ? null : `${scene}: afterwards ${show(again)}`;
    }
    if (problemIn(again) !== "in-flight" || tries > 500) return `${scene}: afterwards ${show(again)}`;
    await pause(20);
  }
}

/** The handler never ends and its client leaves: in flight, and unknown after the time it is given. */
async function never(served: Served): Promise<string | null> {
  const [key, url] = [`k${++keys}`, `${served.fencedUrl}/never`];
  const asked = open(url, { key });
  for (let tries = 0; served.runs.of(key) === 0 && tries < 1_000; tries++) await pause(5);
  asked.leave();
  const problems: (string | null)[] = [];
  for (let tries = 0; tries < 500 && problems.at(-1) !== "outcome-unknown"; tries++) {
    problems.push(problemIn(await ask(url, { key })));
    await pause(20);
  }
  const isRight = problems[0] === "in-flight" && problems.at(-1) === "outcome-unknown" && served.runs.of(key) === 1;
  return isRight ? null : `never: got ${[...new Set(problems)]}, ran ${served.runs.of(key)} times`;
}

async function atOnce(served: Served): Promise<string | null> {
  const [key, url] = [`k${++keys}`, `${served.fencedUrl}/slow`];
  let answered = 0;
  const asked = [1, 2, 3, 4].map(async () => {
    const one = await ask(url, { key });
    if (++answered === 3) openGate(key); // Three are refused while the first one works.
    return one;
  });
  const seen = await Promise.all(asked);
  const statuses = seen.map(({ status }) => status).sort();
  return `${statuses}` === "201,409,409,409" && served.runs.of(key) === 1 ? null : `four at once got ${statuses}`;
}

async function untouched(served: Served): Promise<string | null> {
  for (const method of ["GET", "DELETE"]) {
    const [bare, fenced] = [
      await ask(`${served.bareUrl}/read`, { method }),
      await ask(`${served.fencedUrl}/read`, { method }),
    ];
    if (!same(bare, fenced)) return `${method} got ${show(fenced)}, without the fence ${show(bare)}`;
  }
  return null;
}

async function anotherBoundary(served: Served): Promise<string | null> {
  const [key, url] = [`k${++keys}`, `${served.fencedUrl}/echo`];
  const first = await ask(url, { ...multipart("one"), key });
  const again = await ask(url, { ...multipart("another"), key });
  return isReplayOf(first, again) && served.runs.of(key) === 1 ? null : `with another boundary: ${show(again)}`;
}

type Check = (served: Served) => Promise<string | null>;

async function firstFault(checks: readonly (() => Promise<string | null>)[]): Promise<string | null> {
  const found = await Promise.all(checks.map((check) => check()));
  return found.find((fault) => fault !== null) ?? null;
}

const EMPTY: Sent = {};
const OTHER: Sent = { type: "text/plain", body: "other" };

function rows(): Map<string, Check> {
  const all = new Map<string, Check>();
  for (const [row, { sent, other }] of Object.entries(BODY_ROWS)) {
    all.set(`body: ${row}`, (served) => once(served, "echo", sent, other, "replayed"));
  }
  all.set("body: multipart, sent again with another boundary", anotherBoundary);
  for (const [row, answers] of Object.entries(ANSWER_ROWS)) {
    const check = (served: Served, index: number, outcome: Outcome) =>
      once(served, answerPath(row, index), EMPTY, OTHER, outcome);
    all.set(`answer: ${row}`, (served) =>
      firstFault(
        answers.map(
          ({ status }, index) =>
            () =>
              check(served, index, status >= 500 ? "refused" : "replayed"),
        ),
      ),
    );
  }
  for (const [row, { paths, outcome }] of Object.entries(SCENE_ROWS)) {
    all.set(`answer: ${row}`, (served) =>
      firstFault(paths.map((path) => () => once(served, path, EMPTY, OTHER, outcome))),
    );
  }
  all.set("client: leaves while the handler runs", (served) => leave(served, "slow"));
  all.set("client: leaves while the handler streams", (served) => leave(served, "slow-pipe"));
  all.set("client: leaves a handler that never ends", never);
  all.set("client: sends four at once", atOnce);
  all.set("client: GET and DELETE go through", untouched);
  return all;
}

export const ROWS = rows();
/** Every cell of one framework's column. */
export async function column(framework: Framework): Promise<Map<string, Cell>> {
  const served = await framework.start();
  try {
    const cells = new Map<string, Cell>();
    const wanted = [...ROWS].filter(([row]) => framework.lacks?.[row] === undefined);
    for (let at = 0; at < wanted.length; at += 8) {
      const some = wanted.slice(at, at + 8);
      const found = await Promise.all(some.map(([, check]) => check(served).catch((error: unknown) => `${error}`)));
      some.forEach(([row], index) => {
        const fault = found[index] ?? null;
        cells.set(row, fault === null ? { kind: "passed" } : { kind: "failed", found: fault });
      });
    }
    return cells;
  } finally {
    await served.close();
  }
}
