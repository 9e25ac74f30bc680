import { KNOWN_DRIVERS } from "../../src/host/driver-registry.ts";
import type { Manifest } from "../../src/core/release/manifest.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import { type RandomStream } from "../../src/core/stats/random.ts";
import { Controller } from "../../src/controller/controller.ts";
import type { ControllerOptions } from "../../src/controller/controller-options.ts";
import { GatewayRegistry } from "../../src/controller/gateway-registry.ts";
import { takePush, type TelemetryPush } from "../../src/controller/telemetry-push.ts";
import { gatewayTraffic } from "../../src/drivers/traffic/gateway/index.ts";
import type { Proof } from "../../src/plane/proof.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { DriverError } from "../../src/ports/driver-error.ts";
import { Life, type Point } from "../controller/life.ts";
import type { Disk } from "./disk.ts";
import { NodeClock } from "./node-clock.ts";
import type { Answer, ControllerEnd } from "./plane-node.ts";
import type { Resources } from "../../src/controller/resources.ts";
import type { GrantEnd } from "./worker-node.ts";

/** How long a process that ended by itself is away. */
const AGAIN_MS = 300;

/** Longest that a service takes to say what it is; most answer much sooner. */
const HEALTH_MS = 200;

export interface ControllerWorld {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly random: RandomStream;
  readonly proof: Proof;
  readonly service: string;
  health(url: string): Manifest;
  note(text: string): void;
  /** A document leaves for every data plane. */
  published(document: RoutingDocument): void;
  opened(controller: Controller): void;
  /** The products that one process reaches; null where nothing but traffic is moved. */
  readonly products: ((life: Life, clock: Clock) => Resources) | null;
}

/** The machine on which one controller process after another carries the rollouts out. */
export class ControllerNode implements ControllerEnd {
  readonly clock: NodeClock;
  controller: Controller | null = null;
  /** Deaths by the point where they came. */
  readonly deaths = new Map<string, number>();
  readonly #world: ControllerWorld;
  #life: Life | null = null;
  #armed: { readonly point: Point; readonly downMs: number } | null = null;
  #isOver = false;
  #startedMonoMs = 0;
  #livedBeforeMs = 0;
  #livedMs = 0;

  constructor(world: ControllerWorld) {
    this.#world = world;
    this.clock = new NodeClock(world.clock);
  }

  /** Time that processes have lived through here; a machine that sleeps lives through nothing. */
  livedMs(): number {
    const nowMs = this.#livedBeforeMs + (this.#life?.isDead === false ? this.clock.monoMs() - this.#startedMonoMs : 0);
    this.#livedMs = Math.max(this.#livedMs, nowMs);
    return this.#livedMs;
  }

  /** Lets the process die: at once, or where it passes a point next. */
  kill(point: Point | "anywhere", downMs: number): void {
    if (point === "anywhere") this.#die("anywhere", downMs);
    else this.#armed = { point, downMs };
  }

  /** No process dies any more. */
  spare(): void {
    this.#armed = null;
  }

  async start(): Promise<void> {
    const life: Life = new Life((point) => this.#isHere(point));
    this.#life = life;
    this.#startedMonoMs = this.clock.monoMs();
    try {
      const controller = await Controller.open(this.#options(life));
      if (life.isDead || this.#isOver) return void controller.stop().catch(() => {});
      this.controller = controller;
      this.#world.note("controller open");
      this.#world.opened(controller);
    } catch (error) {
      if (!life.isDead) this.#die(`open failed: ${reasonOf(error)}`, AGAIN_MS);
    }
  }

  /** The end of the world: time stands still, so what it waits for never comes. */
  stop(): void {
    this.#isOver = true;
    if (this.#life !== null) this.#life.isDead = true;
    void this.controller?.stop().catch(() => {});
  }

  current(): RoutingDocument | null {
    return this.controller?.hub.current(this.#world.service) ?? null;
  }

  connect(): (push: TelemetryPush, answer: (said: Answer) => void) => void {
    const [life, controller] = [this.#life, this.controller];
    if (life === null || controller === null) return (_, answer) => answer({ kind: "failed" });
    return (push, answer) => this.#take(life, controller, push, answer);
  }

  /** Where a worker's question arrives that leaves now. */
  connectWorker(): GrantEnd {
    const [life, controller] = [this.#life, this.controller];
    if (life === null || controller === null) return (_, answer) => answer(null);
    return (asker, answer) => {
      if (life.isDead) return answer(null);
      const work = async () => {
        if (this.clock.stands) await this.clock.sleep(0);
        const leave = await controller.cutovers.grants.ask(this.#world.service, asker);
        if (!life.isDead) answer(leave);
      };
      work().catch(() => {
        if (!life.isDead) answer(null);
      });
    };
  }

  #take(life: Life, controller: Controller, push: TelemetryPush, answer: (said: Answer) => void): void {
    if (life.isDead) return answer({ kind: "failed" });
    const say = (said: Answer): void => {
      if (!life.isDead) answer(said);
    };
    const work = async (): Promise<void> => {
      if (this.clock.stands) await this.clock.sleep(0);
      const grant = await takePush(controller, push);
      const { gatewayId, report, adopted } = push;
      const heard = `${gatewayId} report ${report?.number} with ${report?.leaseLeftMs} ms left at ${adopted?.epoch}.${adopted?.seq}`;
      if (!life.isDead) this.#world.note(`${heard}: ${grant === null ? "no lease" : `${grant.ms} ms`}`);
      say({ kind: "taken", grant });
    };
    work().catch(() => say({ kind: "failed" }));
  }

  #isHere(point: Point): boolean {
    const armed = this.#armed;
    if (armed?.point !== point || this.controller === null) return false;
    this.#armed = null;
    this.#die(point, armed.downMs);
    return true;
  }

  #die(where: string, downMs: number): void {
    const [life, controller] = [this.#life, this.controller];
    if (life === null || life.isDead || this.#isOver) return;
    this.#livedBeforeMs = this.livedMs();
    life.isDead = true;
    this.controller = null;
    const kind = where.split(":")[0] ?? where;
    this.deaths.set(kind, (this.deaths.get(kind) ?? 0) + 1);
    this.#world.note(`controller dies (${where}), away ${downMs} ms`);
    void controller?.stop().catch(() => {});
    void this.#world.clock.sleep(downMs).then(() => (this.#isOver ? undefined : this.start()));
  }

  #options(life: Life): ControllerOptions {
    const { disk, random, proof, service, health, note, published, products } = this.#world;
    const hub = new GatewayRegistry(() => this.clock.monoMs());
    hub.follow(service, (document) => {
      if (!life.isDead) published(document);
    });
    const options: ControllerOptions = {
      store: disk.inner,
      hub,
      traffic: { gateway: gatewayTraffic(hub) },
      drivers: KNOWN_DRIVERS,
      probes: {
        run: () => Promise.reject(new DriverError("unsupported", "never", "no probes in this world")),
        smoke: () => Promise.resolve(null),
      },
      health: {
        read: async (url, signal) => {
          await this.clock.sleep(Math.ceil(random() ** 3 * HEALTH_MS), signal);
          return { kind: "read", manifest: health(url) };
        },
      },
      metrics: () => ({ name: "none", read: () => Promise.reject(new Error("no metrics in this world")) }),
      clock: this.clock,
      random: { float: random, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(random() * 256)) },
      proof,
      signer: null,
      log: () => {},
      onFatal: () => {},
      ...(products === null ? {} : { resources: products(life, this.clock) }),
    };
    return {
      ...life.wrap(options, disk.of(life, this.clock)),
      log: (line) => void (life.isDead || note(`log: ${line.split("\n")[0]}`)),
      onFatal: (error) => {
        if (!life.isDead && this.#life === life) this.#die(`fatal: ${reasonOf(error)}`, AGAIN_MS);
      },
    };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
