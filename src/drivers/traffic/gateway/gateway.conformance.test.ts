import { describe, expect, it } from "vitest";
import { type Confirmation, confirm, type Direction, type PlaneWord } from "../../../core/routing/confirm.ts";
import { isNewer, type RoutingDocument } from "../../../core/routing/document.ts";
import type { GatewayHub, LiveGateway } from "../../../ports/gateway-hub.ts";
import { type TrafficWorld, trafficConformance } from "../../../testing/traffic-suite.ts";
import { gatewayTraffic } from "./driver.ts";

/** A fake hub with fake gateways that adopt the current document when told. */
class FakeHub implements GatewayHub {
  readonly documents = new Map<string, RoutingDocument>();
  gateways: readonly string[] = ["g1", "g2"];
  readonly #adopted = new Map<string, LiveGateway["adopted"]>();

  publish(document: RoutingDocument): void {
    this.documents.set(document.service, document);
  }

  current(service: string): RoutingDocument | null {
    return this.documents.get(service) ?? null;
  }

  live(service: string): readonly LiveGateway[] {
    return this.gateways.map((gatewayId) => {
      return { gatewayId, adopted: this.#adopted.get(`${gatewayId} ${service}`) ?? { epoch: 0, seq: 0 } };
    });
  }

  words(service: string): readonly PlaneWord[] {
    const quiet = { digest: null, override: null, refused: null, isLive: true, silentMs: 0, leaseLeftMs: 0 };
    return this.live(service).map((gateway) => ({ ...gateway, ...quiet }));
  }

  confirm(document: RoutingDocument, direction: Direction): Confirmation {
    return confirm(document, "", this.words(document.service), direction);
  }

  forget(service: string): void {
    this.documents.delete(service);
  }

  adopt(...gateways: readonly string[]): void {
    for (const document of this.documents.values()) {
      for (const gatewayId of gateways) this.#adopted.set(`${gatewayId} ${document.service}`, document);
    }
  }
}

function world(): TrafficWorld & { readonly hub: FakeHub } {
  const hub = new FakeHub();
  const settle = () => Promise.resolve(hub.adopt("g1", "g2"));
  return { driver: gatewayTraffic(hub), service: "rag", settle, hub };
}

const signal = new AbortController().signal;

async function served(driver: TrafficWorld["driver"]) {
  const found = await driver.read("rag", signal);
  return found === "unknown" ? found : [found.epoch, found.seq, found.candidateBp];
}

async function order(driver: TrafficWorld["driver"], epoch: number, candidateBp: number): Promise<void> {
  const document = { service: "rag", epoch, seq: 1, candidateBp } as RoutingDocument;
  await driver.apply(document, signal);
}

describe("traffic/gateway on a fake hub", () => {
  trafficConformance(world, it);

  it("does not take accepted for served: a share counts only when the last gateway adopted it", async () => {
    const { driver, hub } = world();
    await order(driver, 1, 0);
    hub.adopt("g1", "g2");
    await order(driver, 2, 5_000);
    expect(await served(driver)).toEqual([1, 1, null]);
    hub.adopt("g1");
    expect(await served(driver)).toEqual([1, 1, null]);
    hub.adopt("g2");
    expect(await served(driver)).toEqual([2, 1, 5_000]);
  });

  it("says unknown, and what to do, when no gateway is connected", async () => {
    const { driver, hub } = world();
    await order(driver, 1, 0);
    hub.gateways = [];
    expect(await served(driver)).toBe("unknown");
    expect(await driver.check("rag", signal)).toMatch(/no gateway of service rag is connected; start one with/);
  });

  it("never publishes a document that is not newer than the current one", async () => {
    const { driver, hub } = world();
    await order(driver, 2, 0);
    await order(driver, 1, 9_000).catch(() => {});
    const current = hub.current("rag") as RoutingDocument;
    expect(isNewer(current, { epoch: 1, seq: 99 })).toBe(true);
  });
});
