import { Hono } from "hono";
import type { JournalAnswer, VerdictsAnswer } from "../../contract/journal.ts";
import { openapi } from "../../contract/openapi.ts";
import type { Clock } from "../../ports/clock.ts";
import { DriverError } from "../../ports/driver-error.ts";
import type { Controller } from "../controller.ts";
import { verdictWire } from "../status.ts";
import type { TokenBook } from "../token-book.ts";
import { guard } from "./guard.ts";
import { metricsText } from "./metrics.ts";
import { problemResponse } from "./problem.ts";
import { unknownRollout } from "./unknown-rollout.ts";
import { OperatorMutations } from "./operator-mutation.ts";
import { addCutovers } from "./cutovers.ts";
import { addDrills } from "./drills.ts";
import { getRollout, listRollouts, postCommand, postRetry, postRollout, type RolloutApiOptions } from "./rollouts.ts";
import { listGateways, postForget } from "./gateways.ts";
import { postPrune } from "./prune.ts";
import { getService, listServices, postAdopt, postClaim } from "./services.ts";
import { getKey, postRotate } from "./keys.ts";
import { listTokens, postRevoke, postToken } from "./tokens.ts";
import { getEvents, getRouting } from "./streams.ts";
import { postUnit } from "./units.ts";
import { postTelemetry } from "./telemetry.ts";

export interface ControllerAppOptions {
  /** Secret of the installation: bucket seeds are derived from it. */
  readonly secret: string;
  readonly tokens: TokenBook;
  /** True when `/metrics` may be read without a token. */
  readonly hasOpenMetrics: boolean;
  /** `host:port` values requests may name, the public one first. */
  readonly allowedHosts: readonly string[];
  readonly clock: Clock;
  /** Ends running streams when the controller stops. */
  readonly stopped: AbortSignal;
  readonly log: (line: string) => void;
  /** A copy of the store as of now, with the credentials; left out where the host can make none. */
  readonly backup?: () => Promise<ReadableStream<Uint8Array>>;
}

const COMMANDS = ["promote", "pause", "resume", "abort", "rollback"] as const;

/** The controller's HTTP API as a web-standard handler. @source contracts.md, "HTTP API" */
export function controllerApp(controller: Controller, options: ControllerAppOptions): Hono {
  const { clock, stopped, log, secret, tokens } = options;
  const mutations = new OperatorMutations(controller.store);
  const api: RolloutApiOptions = { controller, mutations, secret, now: () => clock.wallMs() };
  const app = new Hono();
  app.use(guard(options));
  app.get("/healthz", (context) => context.json({ ok: true }));
  app.get("/openapi.json", () => getOpenapi());
  app.get("/metrics", (context) => context.text(metricsText(controller)));
  app.get("/v1/rollouts", (context) => listRollouts(context, api));
  app.post("/v1/rollouts", (context) => mutations.once(context, (mutation) => postRollout(mutation, api)));
  app.get("/v1/rollouts/:id", (context) => getRollout(context, api));
  for (const command of COMMANDS) {
    app.post(`/v1/rollouts/:id/${command}`, (context) =>
      mutations.once(context, (mutation) => postCommand(context.req.param("id"), command, mutation, api)),
    );
  }
  app.post("/v1/rollouts/:id/retry", (context) =>
    mutations.once(context, (mutation) => postRetry(context.req.param("id"), mutation, api)),
  );
  app.post("/v1/rollouts/:id/unit", (context) => postUnit(context.req.param("id"), context, controller));
  app.get("/v1/rollouts/:id/journal", (context) => getJournal(context.req.param("id"), controller));
  app.get("/v1/verdicts/:id", (context) => getVerdicts(context.req.param("id"), controller));
  for (const add of [addCutovers, addDrills]) add(app, api);
  app.get("/v1/tokens", () => listTokens(tokens));
  app.post("/v1/tokens", (context) => postToken(context, tokens, clock));
  app.post("/v1/tokens/:name/revoke", (context) => postRevoke(context.req.param("name"), tokens));
  app.get("/v1/key", () => getKey(controller));
  app.post("/v1/key/rotate", (context) => postRotate(context, controller, () => clock.wallMs(), log));
  app.post("/v1/prune", (context) => mutations.once(context, (mutation) => postPrune(mutation, controller)));
  app.get("/v1/gateways", () => listGateways(controller));
  app.post("/v1/gateways/:id/forget", (context) =>
    mutations.once(context, (mutation) => postForget(context.req.param("id"), mutation, controller)),
  );
  app.get("/v1/backup", async () => {
    if (options.backup === undefined)
      return problemResponse("not-found", "this controller can make no backup of its store");
    return new Response(await options.backup(), { headers: { "content-type": "application/gzip" } });
  });
  app.get("/v1/services", () => listServices(controller));
  app.get("/v1/services/:service", (context) => getService(context.req.param("service"), controller));
  app.post("/v1/services/:service/adopt", (context) =>
    mutations.once(context, (mutation) => postAdopt(context.req.param("service"), mutation, controller)),
  );
  app.post("/v1/claims", (context) => postClaim(context, controller));
  app.post("/v1/telemetry", (context) => postTelemetry(context, controller));
  app.get("/v1/routing/:service", (context) => getRouting(context, controller, clock, stopped));
  app.get("/v1/events", (context) => getEvents(context, controller, clock, stopped));
  app.notFound((context) => problemResponse("not-found", `nothing at ${context.req.method} ${context.req.path}`));
  app.onError((error, context) => {
    if (isStoreAway(error))
      return problemResponse(
        "store-away",
        `${error.message}; nothing was changed and traffic stays as it is, try again`,
      );
    log(`${context.req.method} ${context.req.path} crashed: ${error.stack ?? String(error)}`);
    return problemResponse("internal-error", "the controller could not answer; traffic stays as it is, see its log");
  });
  return app;
}

/** True when the store cannot be reached now, or is another controller's. */
function isStoreAway(error: unknown): boolean {
  return error instanceof DriverError && ["unreachable", "stale-token"].includes(error.code);
}

let described: string | undefined;

/** Made when it is first asked for: most controllers are never asked. */
function getOpenapi(): Response {
  described ??= JSON.stringify(openapi());
  return new Response(described, { headers: { "content-type": "application/json" } });
}

async function getJournal(id: string, controller: Controller): Promise<Response> {
  const stored = await controller.find(id);
  if (stored === null) return unknownRollout(id, controller);
  // Who may look may not sign visitors' cookies, nor compute who gets which arm.
  const {
    plan: { sticky: _, ...plan },
    cause,
    verdicts,
  } = stored.rollout;
  const { observations } = stored;
  const entries = await controller.journal(id);
  return Response.json({ plan, cause, verdicts, observations, entries } satisfies JournalAnswer);
}

async function getVerdicts(id: string, controller: Controller): Promise<Response> {
  const stored = await controller.find(id);
  if (stored === null) return unknownRollout(id, controller);
  const reports = await controller.store.reports(id);
  return Response.json({ id, verdicts: stored.rollout.verdicts.map(verdictWire), reports } satisfies VerdictsAnswer);
}
