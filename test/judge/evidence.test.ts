import { describe, expect, it } from "vitest";
import { explain } from "../../src/cli/commands/explain.ts";
import { readReport } from "../../src/cli/commands/report.ts";
import type { ControllerClient } from "../../src/cli/controller-client.ts";
import { reportMarkdown } from "../../src/cli/format/report-markdown.ts";
import { filledPath } from "../../src/contract/request.ts";
import { controllerApp } from "../../src/controller/api/app.ts";
import { TokenBook } from "../../src/controller/token-book.ts";
import { aProbeReport } from "../probe-report.ts";
import type { World } from "../controller/world.ts";
import { PresetRollout, planOf, type Release } from "./preset-rollout.ts";

const HOST = "127.0.0.1:4400";
const ID = "support-rag-7";
const started = (release: Release) => new PresetRollout(release).start();

/** What `sluice report` reads, from the controller's own API, and how `sluice retry` orders another try. */
async function clientOf(world: World): Promise<ControllerClient & { retry(): Promise<Response> }> {
  const { controller, clock } = world;
  const secret = "t".repeat(43);
  const tokens = await TokenBook.open(world.store, clock, [[secret, "admin"]]);
  const app = controllerApp(controller, {
    secret,
    tokens,
    hasOpenMetrics: false,
    allowedHosts: [HOST],
    clock,
    stopped: new AbortController().signal,
    log: () => {},
  });
  const headers = { host: HOST, authorization: `Bearer ${secret}` };
  const get = async (path: string, places: Readonly<Record<string, string>>) =>
    (await app.request(`http://${HOST}${filledPath(path, places)}`, { headers })).json();
  const status = (id: string) => get("/v1/rollouts/{id}", { id });
  const order = { method: "POST", body: "{}", headers: { ...headers, "idempotency-key": "again" } };
  const retry = async () => app.request(`http://${HOST}/v1/rollouts/${ID}/retry`, order);
  return { get, status, retry } as unknown as ControllerClient & { retry(): Promise<Response> };
}

/** What `sluice explain` prints. */
async function explained(client: ControllerClient): Promise<string> {
  const lines: string[] = [];
  const data = (line: string) => void lines.push(line);
  const terminal = { data, document: data, say: () => {}, isInteractive: false };
  await explain(ID, null, { json: true }, client, { ...terminal, paint: (_style, text) => text });
  return lines.join("");
}

describe("the evidence of a rollout", () => {
  const STEPS = "[{ probes: true }, { weight: 10, hold: 2s }, { weight: 50, hold: 2s }]";
  const probe = aProbeReport({ stable: { median: 0.38 }, candidate: { median: 0.41, coverage: 0.84 } });
  const harmful: Release = {
    preset: "bg-serverless",
    steps: STEPS,
    probe,
    candidate: (second) => (second > 4 ? { slower: 2 } : {}),
  };

  it("RP-1: tells each change of the weight and each verdict, in order, to the end", async () => {
    const rollout = await started(harmful);
    const { world } = rollout;
    await rollout.until(() => world.phase === "rolled-back");
    const { timeline, causeGate } = await readReport(ID, await clientOf(world));
    await world.controller.stop();
    expect(causeGate).toBe("p95-warm");
    const weights = timeline.flatMap(({ text }) => /ordered: set the candidate to (.*)/.exec(text)?.slice(1) ?? []);
    const served = world.gateway.adopted.filter(([epoch]) => epoch > 0).map(([, , share]) => `${share / 100} %`);
    expect(weights).toEqual(served);
    expect([weights[0], weights.at(-1)]).toEqual(["10 %", "0 %"]);
    const gates = new Set(planOf(harmful).gates.map(({ gate }) => gate));
    const said = new Set(
      timeline.flatMap(({ text }) => /^(\S+?)(?:\[.*\])? (?:pass|fail|no-data|inconclusive)/.exec(text)?.[1] ?? []),
    );
    expect([...gates].filter((gate) => !said.has(gate))).toEqual([]);
    const times = timeline.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it("RP-2, RP-10: keeps each probe result, with both arms beside each other, over a restart", async () => {
    const rollout = await started(harmful);
    const { world } = rollout;
    await rollout.until(() => world.phase === "rolled-back");
    await world.controller.stop();
    await world.open();
    const report = await readReport(ID, await clientOf(world));
    await world.controller.stop();
    expect(report.probes.map((kept) => kept.report)).toEqual([probe]);
    const text = reportMarkdown(report);
    const row = text.split("\n").filter((line) => /ΔS|delta_s|coverage/i.test(line));
    expect(row.join("\n")).toMatch(/0\.38.*0\.41/);
    expect(row.join("\n")).toMatch(/0\.80?.*0\.84/);
  });

  it("RP-10: compares five numbers of both arms, and has no number of an arm that was not asked", async () => {
    const shown = { coverage: 0.8, median: 0.38, convergent: 0.9, flipRate: 0.05, errors: 3 };
    const other = { coverage: 0.84, median: 0.41, convergent: 0.95, flipRate: 0.02, errors: 1 };
    const rowsOf = async (report: ReturnType<typeof aProbeReport>) => {
      const rollout = await started({ preset: "bg-serverless", steps: STEPS, probe: report });
      const { world } = rollout;
      await rollout.until(() => world.stored?.rollout.phase !== "pending" && world.gateway.adopted.length > 0, 12);
      const text = reportMarkdown(await readReport(ID, await clientOf(world)));
      await world.controller.stop();
      const lines = text.split("\n");
      const from = lines.indexOf("| metric | stable | candidate |") + 2;
      return lines.slice(from, from + 5);
    };
    expect(await rowsOf(aProbeReport({ stable: shown, candidate: other }))).toEqual([
      "| coverage | 0.8 | 0.84 |",
      "| delta_s median | 0.38 | 0.41 |",
      "| convergent share | 0.9 | 0.95 |",
      "| flip rate | 0.05 | 0.02 |",
      "| failed runs | 3 | 1 |",
    ]);
    expect(await rowsOf(aProbeReport({ stable: null, candidate: other }))).toEqual([
      "| coverage | - | 0.84 |",
      "| delta_s median | - | 0.41 |",
      "| convergent share | - | 0.95 |",
      "| flip rate | - | 0.02 |",
      "| failed runs | - | 1 |",
    ]);
  });
});

const EXACT = { estimate: 0, ci: [-0.01, 0.01] } as const;
const UNCHANGED = { coverage: EXACT, flipRate: EXACT, convergentShare: EXACT, deltaS: { ...EXACT, median: 0, p95: 0 } };

describe("the next generation of a rollout", () => {
  const [first, second] = [{ coverage: 0.84 }, { coverage: 0.93 }].map((candidate) => aProbeReport({ candidate }));

  it("is reported by itself: no entry, verdict, probe or request of the try before", async () => {
    let isHarmful = true;
    const rollout = await started({
      preset: "bg-serverless",
      steps: "[{ probes: true }, { weight: 10, hold: 2s }, { weight: 50, hold: 60s }]",
      probe: (run) => (run === 0 ? first : second) ?? aProbeReport(),
      candidate: () => (isHarmful ? { slower: 2 } : {}),
    });
    const { world } = rollout;
    await rollout.until(() => world.phase === "rolled-back");
    const client = await clientOf(world);
    const before = await readReport(ID, client);
    expect([before.generation, before.causeGate, before.outcome]).toEqual([1, "p95-warm", "rolled-back"]);
    isHarmful = false;
    let windows = 0;
    const { reshape } = world.gateway;
    world.gateway.reshape = (window) => {
      windows++;
      return reshape(window);
    };
    expect((await client.retry()).status).toBe(201);
    await rollout.until(() => world.gateway.document.candidateBp === 5_000);
    const after = await readReport(ID, client);
    const markdown = reportMarkdown(after);
    await world.controller.stop();
    expect([after.generation, after.cause, after.lookAt, after.outcome]).toEqual([2, null, null, "progressing"]);
    expect(after.startedAt).toBeGreaterThan(before.startedAt + before.durationMs);
    expect(after.timeline[0]).toEqual({ atMs: 0, stageIndex: 0, text: "started" });
    expect(
      after.timeline.map(({ text }) => text).filter((text) => /rolled-back|rolling-back| fail: /.test(text)),
    ).toEqual([]);
    expect(after.verdicts.filter(({ verdict }) => verdict.kind === "fail")).toEqual([]);
    expect([before, after].map(({ probes }) => probes.map(({ report }) => report))).toEqual([[first], [second]]);
    expect(markdown).toMatch(/generation 2[\s\S]*\| 0\.93 \|/);
    expect(markdown).not.toContain("| 0.84 |");
    expect(before.requests.candidate).toBeGreaterThan(0);
    const counted = after.requests.stable + after.requests.candidate;
    expect(counted).toBeGreaterThan(2_000);
    expect(counted).toBeLessThanOrEqual(windows * 2_000);
  });

  it("is explained without what the probes of the try before met", async () => {
    const failures = [{ kind: "error", what: "headers|5xx|503", runs: 3, question: "q7", excerpt: "" }] as const;
    const release: Release = {
      preset: "default",
      steps: "[{ probes: true }, { weight: 10, hold: 2s }]",
      probe: aProbeReport({ candidate: { errors: 3, failures }, paired: UNCHANGED }),
      candidate: { classes: { "headers|5xx|503": 0.5 } },
    };
    const rollout = await started(release);
    const { world } = rollout;
    await rollout.until(() => world.phase === "rolled-back");
    const client = await clientOf(world);
    expect(await explained(client)).toContain("3 of 300 probes of the candidate");
    const unasked = planOf({ ...release, steps: "[{ weight: 10, hold: 2s }]" });
    await world.controller.apply({ ...unasked, generation: 2, sticky: { ...unasked.sticky, seed: 8 } });
    await rollout.until(() => world.phase === "rolled-back" && world.stored?.rollout.cause?.gate != null);
    const text = await explained(client);
    await world.controller.stop();
    expect(text).toContain("error-rate");
    expect(text).not.toContain("probes of the candidate");
  });
});

describe("the gold set of each deploy", () => {
  const measure = { deltaS: 0.4, coverage: 0.8, lambda: "→", flips: 0 } as const;
  const items = [
    { id: "q7", topic: "fees", stable: measure, candidate: { ...measure, lambda: "<>", flips: 2 } as const },
  ];

  it("GQ-30: is asked whole before the first user, its lines are kept, and a λ that flips alerts", async () => {
    const calm = { ...aProbeReport(), items };
    const flips = {
      ...aProbeReport({ candidate: { flipRate: 0.3, flips: 2, convergent: 0.5, states: { "→": 25, "<>": 25 } } }),
      items,
    };
    const alarmsOf = async (probe: typeof calm) => {
      const rollout = await started({ preset: "canary-serverless", probe });
      const { world } = rollout;
      const isOver = () =>
        world.gateway.document.candidateBp > 0 || ["waiting", "rolled-back"].includes(world.phase ?? "");
      await rollout.until(isOver);
      const orders = (await world.controller.journal(ID)).flatMap(({ orders }) => orders);
      const asked = orders.filter(({ port }) => port === "probe");
      expect(asked[0]).toMatchObject({ port: "probe", args: { tier: "full" } });
      expect(world.stored?.rollout.plan.probes?.repeats).toBe(2);
      const { probes } = await readReport(ID, await clientOf(world));
      for (const { report } of probes) expect(report.items).toEqual(items);
      expect(probes.length).toBe(asked.length);
      await world.controller.stop();
      return world.controller.feed
        .since(0)
        .flatMap(({ event }) => (event.type === "verdict" && event.gate === "lambda" ? [event.verdict] : []));
    };
    expect(await alarmsOf(calm)).toEqual(["pass"]);
    expect((await alarmsOf(flips)).at(-1)).toMatch(/^(fail|inconclusive)$/);
  });
});

describe("the rerankers of both arms", () => {
  it.each([
    ["k2", "", true],
    ["k", "", false],
    ["k2", "  changes: [RERANK_CONF]\n", false],
  ])(
    "IX-12: that differ are told before the first user, unless the document says so: %s %s",
    async (conf, more, told) => {
      const health: Release["health"] = (arm) => (arm === "candidate" ? { RERANK_CONF: conf } : {});
      const rollout = await started({ preset: "bg-serverless", steps: "[{ weight: 10, hold: 60s }]", health, more });
      const { world } = rollout;
      await rollout.until(() => world.gateway.document.candidateBp === 1_000);
      const status = JSON.stringify(await (await clientOf(world)).get("/v1/rollouts/{id}", { id: ID }));
      await world.controller.stop();
      expect(status.includes("the rerankers differ (RERANK_CONF k != k2)")).toBe(told);
      expect(status).toContain("agree or are declared");
    },
  );
});

describe("a symptom of the candidate", () => {
  /** What status, report and explain say of where to look after the way back. */
  async function told(release: Release) {
    const rollout = await started(release);
    const { world } = rollout;
    const client = await clientOf(world);
    const parity = async () => JSON.stringify(await client.get("/v1/verdicts/{id}", { id: ID }));
    await rollout.until(() => world.gateway.document.candidateBp > 0);
    const before = await parity();
    await rollout.until(() => world.phase === "rolled-back");
    const [status, report] = [await client.status(ID), await readReport(ID, client)];
    const explanation = await explained(client);
    await world.controller.stop();
    const lookAt = status.cause?.look_at ?? "";
    expect([report.lookAt, explanation.includes(JSON.stringify(lookAt))]).toEqual([lookAt, true]);
    return { before, lookAt, gate: status.cause?.gate };
  }
  const STEPS = "[{ weight: 50, hold: 2s }]";

  it.each([
    ["error-rate", "default", "connect|network|ECONNREFUSED"],
    ["error-rate-abs", "bg-ops", "headers|5xx|503"],
    ["new-error-class", "bg-serverless", "headers|5xx|500"],
    ["new-error-class", "bg-serverless", "connect|network|ECONNREFUSED"],
  ])(
    "SE-8: %s of %s: first calls that meet %s lead to boot order, secrets parity and version skew; other secrets are told",
    async (gate, preset, name) => {
      const candidate = { classes: { [name]: 0.2 } };
      const failing: Release = { preset, steps: STEPS, candidate };
      const secrets: Release["health"] = (arm) => ({ secrets_rev: arm === "candidate" ? "s2" : "s1" });
      const wedged = await told({ ...failing, health: secrets });
      expect(wedged.lookAt).toMatch(/first calls .*boot order, secrets parity and version skew/);
      expect(wedged.before).toContain("the secrets differ (secrets_rev s1 != s2)");
      const alike = await told(failing);
      expect([wedged.gate, alike.gate]).toEqual([gate, gate]);
      expect(alike.before).not.toContain("the secrets differ");
    },
  );

  it.each([
    ["p95-warm", "bg-serverless", { slower: 2 }],
    ["p95-equal-load", "shaping-strict", { slower: 2 }],
    ["new-error-class", "bg-serverless", { classes: { "body|network|ECONNRESET": 0.2 } }],
  ] as const)(
    "DS-6: %s of %s leads to memory, concurrency and the size of stream pieces: %j",
    async (gate, preset, candidate) => {
      const found = await told({ preset, steps: STEPS, candidate });
      expect(found.gate).toBe(gate);
      expect(found.lookAt).toMatch(/body.*memory.*concurrency.*size of stream pieces/);
    },
  );
});

describe("what data planes are told of an arm", () => {
  it("is its identity and what its last probe run found, for their events", async () => {
    const steps = "[{ probes: true }, { weight: 10, hold: 60s }]";
    const probe = aProbeReport({ stable: { median: 0.38 }, candidate: { median: 0.41, coverage: 0.84 } });
    const rollout = await started({ preset: "bg-serverless", steps, probe, health: () => ({ revision: "rev-7" }) });
    const { world } = rollout;
    await rollout.until(() => world.gateway.document.candidateBp === 1_000);
    await world.controller.stop();
    const { stable, candidate } = world.gateway.document.arms;
    const identity = { revision: "rev-7", indexHash: "i", metric: "cosine", analyzer: "a" };
    expect(stable.facts).toMatchObject({ ...identity, deltaS: 0.38 });
    expect(candidate?.facts).toMatchObject({ ...identity, deltaS: 0.41, coverage: 0.84, lambdaState: "→" });
  });
});

describe("the stacks of a rollout", () => {
  it("CO-10: are described by what each colour's manifest says: index, prompt and model", async () => {
    const blue = { INDEX_HASH: "A", PROMPT_VER: "N", MODEL_VER: "X" };
    const green = { INDEX_HASH: "B", PROMPT_VER: "N+1", MODEL_VER: "Y" };
    const rollout = await started({ preset: "bg-ops", health: (arm) => (arm === "stable" ? blue : green) });
    const { world } = rollout;
    await rollout.until(() => world.gateway.document.candidateBp === 10_000);
    const journal = await (await clientOf(world)).get("/v1/rollouts/{id}/journal", { id: ID });
    await world.controller.stop();
    expect(journal.observations).toMatchObject({ pinned: { stable: blue, candidate: green } });
  });
});

describe("after a way back", () => {
  it.each([
    ["p95-warm", { candidate: { slower: 2 } }, /p95/],
    ["new-error-class", { candidate: { classes: { "headers|5xx|503": 0.05 } } }, /503/],
    ["coverage", { probe: aProbeReport({ candidate: { coverage: 0.4 } }) }, /sections/],
  ] as const)(
    "RB-5: the triage of %s says what it means, its numbers, who asked and where to look first",
    async (...row) => {
      const [gate, harm, words] = row;
      const steps = "[{ probes: true }, { weight: 50, hold: 2s }]";
      const rollout = await started({ preset: "bg-serverless", steps, ...harm } as Release);
      const { world } = rollout;
      await rollout.until(() => world.phase === "rolled-back");
      const text = await explained(await clientOf(world));
      await world.controller.stop();
      const told = JSON.parse(text) as { explanations: { gate: string }[] };
      const first = told.explanations.find((one) => one.gate === gate);
      expect(JSON.stringify(first)).toMatch(words);
      expect(first).toMatchObject({
        gate,
        verdict: "fail",
        means: expect.stringMatching(/^The candidate /),
        numbers: expect.stringContaining("samples"),
        askedBy: expect.stringContaining("bg-serverless"),
        lookAt: expect.stringMatching(/\w+ \w+/),
      });
    },
  );
});

describe("a flip", () => {
  const flip: Release = { preset: "bg-ops" };
  const adoptedBy = async (release: Release, isDone: (world: World) => boolean) => {
    const rollout = await started(release);
    const { world } = rollout;
    await rollout.until(() => isDone(world), 60);
    await world.controller.stop();
    return world.gateway.adopted.filter(([epoch]) => epoch > 0);
  };

  it("CO-7: is one operation: one document moves the ingress weight from 0 to 100", async () => {
    const adopted = await adoptedBy(flip, ({ gateway }) => gateway.document.candidateBp === 10_000);
    expect(adopted).toEqual([[1, 1, 10_000]]);
  });

  it("CO-14: is taken back at once, is the same each time, and brings no schema or index by surprise", async () => {
    const harmful: Release = { ...flip, candidate: { counters: { toolLoops: 1 } } };
    const twice = [1, 2].map(() => adoptedBy(harmful, ({ phase }) => phase === "rolled-back"));
    const [one, two] = [await twice[0], await twice[1]];
    expect(one).toEqual([
      [1, 1, 10_000],
      [2, 1, 0],
    ]);
    expect(two).toEqual(one);
    expect(planOf(flip)).toEqual(planOf(flip));
    for (const changed of [{ METRIC: "l2" }, { ANALYZER: "b" }, { EMBED_SCHEMA: "e2" }]) {
      const surprising: Release = { ...flip, health: (arm) => (arm === "candidate" ? changed : {}) };
      expect(await adoptedBy(surprising, ({ phase }) => phase === "rolled-back")).toEqual([]);
    }
  });

  it.each([
    ["", 60_000],
    [", drain: 120s", 120_000],
  ])(
    "DS-2: a published document drains connections for 60 s, or for as long as `route` says: %s",
    async (route, ms) => {
      const rollout = await started({ preset: "bg-ops", route });
      const { world } = rollout;
      await rollout.until(() => world.gateway.document.candidateBp === 10_000);
      await world.controller.stop();
      expect(world.gateway.document.drainMs).toBe(ms);
    },
  );
});
