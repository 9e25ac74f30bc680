import { describe, expect, it } from "vitest";
import { aDocument } from "../../test/documents.ts";
import { NO_TERMS } from "../core/routing/document.ts";
import type { PlaneReport } from "../core/routing/lease.ts";
import { bp } from "../core/unit.ts";
import { digestOf } from "../plane/digest.ts";
import { GatewayRegistry } from "./gateway-registry.ts";

const LEASE_MS = 15_000;
const before = aDocument({ ...NO_TERMS, version: 2, epoch: 1, candidateBp: bp(2_000), lease: { ms: LEASE_MS } });
const back = { ...before, epoch: 2, candidateBp: bp(0), closed: ["candidate"] } as typeof before;

const report = (number: number, leaseLeftMs: number): PlaneReport => ({
  version: 2,
  id: "p1",
  digest: digestOf(before),
  nonce: `nonce-of-report-${number}`,
  number,
  start: "nonce-of-report-0",
  leaseLeftMs,
  override: null,
  refused: null,
  isLeaving: false,
});

describe("what a registry knows of a data plane's lease", () => {
  const heard = (...words: readonly PlaneReport[]) => {
    const hub = new GatewayRegistry(() => 1_000);
    hub.publish(back);
    hub.report(before.service, "g1", { epoch: 1, seq: before.seq }, report(4, 0));
    hub.granted("g1", LEASE_MS);
    for (const word of words) hub.report(before.service, "g1", { epoch: 1, seq: before.seq }, word);
    return hub;
  };

  it("outlives a report that was sent before the lease was given and arrives after it, or arrives twice", () => {
    for (const late of [report(3, 0), report(4, 0)]) {
      expect(heard(late).silence("g1")?.leaseLeftMs).toBe(LEASE_MS);
      expect(heard(late).confirm(back, "back").isConfirmed).toBe(false);
    }
  });

  it("is what a new start of the same name says, though it counts its reports from the beginning", () => {
    expect(heard({ ...report(0, 0), start: "nonce-of-another-start" }).silence("g1")?.leaseLeftMs).toBe(0);
  });

  it("is what the next report says: an answer that did not arrive gave nothing", () => {
    expect(heard(report(5, 200)).silence("g1")?.leaseLeftMs).toBe(200);
    expect(heard(report(5, 0)).confirm(back, "back").isConfirmed).toBe(true);
  });
});
