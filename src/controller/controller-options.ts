import type { Proof } from "../plane/proof.ts";
import type { DocumentSigner } from "../ports/document-signer.ts";
import type { KnownDrivers } from "../spec/known-drivers.ts";
import type { GatewayRegistry } from "./gateway-registry.ts";
import type { DrillOptions } from "./movers.ts";
import type { Resources } from "./resources.ts";
import type { ActorTools } from "./rollout-actor.ts";
import type { TenureOptions } from "./tenure.ts";

/** What a controller is made of. */
export type ControllerOptions = Omit<ActorTools, "ledger" | "pointers" | "feed" | "panels" | "running" | "turns"> &
  TenureOptions &
  DrillOptions & {
    /** Made by the caller, because the gateway traffic driver is made from it. */
    readonly hub: GatewayRegistry;
    /** Proves leases to data planes; null where no secret is shared, then no lease is given. */
    readonly proof: Proof | null;
    /** How long a data plane may be silent before it is taken for gone; by default an hour. */
    readonly forgetAfterMs?: number | undefined;
    /** Signs documents and leases; null for data planes that were told to take unsigned ones. */
    readonly signer: DocumentSigner | null;
    /** Opens what is cut over beside traffic; left out: nothing can be. */
    readonly resources?: Resources;
    /** What documents may name. */
    readonly drivers: KnownDrivers;
  };
