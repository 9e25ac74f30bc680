import { isNewer, type RoutingDocument } from "../../../core/routing/document.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { TrafficDriver } from "../../../ports/traffic.ts";

/** A data plane in memory: serves at once what it is told. The driver to copy when writing one. */
export function memoryTraffic(): TrafficDriver & { readonly served: ReadonlyMap<string, RoutingDocument> } {
  const served = new Map<string, RoutingDocument>();
  return {
    name: "memory",
    can: { readBack: true, sticky: true },
    served,
    check: () => Promise.resolve(null),
    async apply(document) {
      const current = served.get(document.service);
      if (current !== undefined && isNewer(current, document)) {
        throw new DriverError(
          "stale-token",
          "never",
          `${document.epoch}.${document.seq} is older than ${current.epoch}.${current.seq}`,
        );
      }
      served.set(document.service, document);
    },
    read(service) {
      const document = served.get(service);
      if (document === undefined) return Promise.resolve("unknown");
      const { epoch, seq, candidateBp } = document;
      return Promise.resolve({ epoch, seq, candidateBp });
    },
    confirm({ service, epoch, seq }) {
      const document = served.get(service);
      const isConfirmed = document?.epoch === epoch && document.seq === seq;
      return Promise.resolve({ isConfirmed, planes: [] });
    },
    release(service) {
      served.delete(service);
      return Promise.resolve();
    },
  };
}
