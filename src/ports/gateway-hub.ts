import type { Confirmation, Direction, PlaneWord } from "../core/routing/confirm.ts";
import type { RoutingDocument } from "../core/routing/document.ts";

/** A gateway that reported within the last seconds. */
export interface LiveGateway {
  readonly gatewayId: string;
  /** The document its next request will be routed by. */
  readonly adopted: Pick<RoutingDocument, "epoch" | "seq">;
}

/** Where gateways are told of documents and report back; the controller's side of the control link. */
export interface GatewayHub {
  publish(document: RoutingDocument): void;
  current(service: string): RoutingDocument | null;
  live(service: string): readonly LiveGateway[];
  /** Every data plane that ever adopted a document of the service and has not said goodbye, with its last word. */
  words(service: string): readonly PlaneWord[];
  /** Whether every data plane that matters serves exactly this document (definitions.md §11). */
  confirm(document: RoutingDocument, direction: Direction): Confirmation;
  forget(service: string): void;
}
