import { isNewer, type RoutingDocument } from "../core/routing/document.ts";
import type { LeaseGrant, PlaneReport } from "../core/routing/lease.ts";
import { EMPTY_ARM_WINDOW, type TelemetryWindow } from "../core/window/window.ts";
import type { LiveGateway } from "../ports/gateway-hub.ts";
import type { Proof } from "../plane/proof.ts";
import type { Controller } from "./controller.ts";

/** One push of a data plane, or of a service that only counts. */
export interface TelemetryPush {
  readonly service: string;
  readonly gatewayId: string;
  readonly windows: readonly TelemetryWindow[];
  /** Null for a service that routes nothing. */
  readonly adopted: LiveGateway["adopted"] | null;
  /** Null from a data plane of version 1, and from one that has not heard yet that we speak version 2. */
  readonly report: PlaneReport | null;
  /** Version the sender says it speaks. */
  readonly version: number;
  /** Proves the answer to this sender; left out where all data planes share the controller's own. */
  readonly proof?: Proof | undefined;
}

/**
 * Takes a push in: who is there, what was counted, what a person said at the data plane. Resolves when all of it is
 * durable, with the lease for the answer, or null when there is none to give.
 */
export async function takePush(controller: Controller, push: TelemetryPush): Promise<LeaseGrant | null> {
  const { service, gatewayId, windows, adopted, report, version, proof } = push;
  const isOverridden = report !== null && report.override !== null;
  const counted = isOverridden ? withoutEvidence(windows, () => false) : ofDocumentsWeKnow(controller, push);
  await controller.ingest(service, counted, adopted, report?.region ?? null);
  const isTelling = adopted !== null && (report !== null || version < 2);
  if (isTelling) await controller.planes.hear(service, gatewayId, adopted, report);
  if (isOverridden) await controller.pauseFor(service, `gateway ${gatewayId}`, "a person set it to stable");
  return controller.planes.grant(service, gatewayId, report, proof);
}

/**
 * What a data plane served under a document later than the one in force, which this store has forgotten or never knew,
 * is about another candidate.
 */
function ofDocumentsWeKnow(controller: Controller, { service, windows, adopted }: TelemetryPush) {
  const current = controller.hub.current(service);
  if (current === null || adopted === null) return windows;
  return withoutEvidence(windows, ({ document }) => !isNewer(document, current));
}

/** What was counted by somebody who knows no document, under the one in force. */
export function underDocument(
  windows: readonly TelemetryWindow[],
  current: RoutingDocument | null,
): readonly TelemetryWindow[] {
  if (current === null) return windows;
  const { epoch, seq, candidateBp } = current;
  return windows.map((window) => ({ ...window, document: { epoch, seq }, candidateBp }));
}

/** Windows that say nothing about the rollout keep their numbers, so that none counts as lost. */
function withoutEvidence(
  windows: readonly TelemetryWindow[],
  isEvidence: (window: TelemetryWindow) => boolean,
): readonly TelemetryWindow[] {
  const arms = { stable: EMPTY_ARM_WINDOW, candidate: EMPTY_ARM_WINDOW };
  return windows.map((window) => {
    const { units: _, shadow: __, ...counts } = window;
    return isEvidence(window) ? window : { ...counts, arms };
  });
}
