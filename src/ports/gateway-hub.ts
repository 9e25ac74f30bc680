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
  forget(service: string): void;
}
