import { isNewer } from "../../../core/routing/document.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { GatewayHub } from "../../../ports/gateway-hub.ts";
import type { TrafficDriver } from "../../../ports/traffic.ts";

/**
 * Data planes that follow over the control link, Sluice's own gateways first: documents go out over it, adoption comes
 * back with every telemetry push.
 * @param name by which documents ask for it
 * @param start command that starts one
 */
export function gatewayTraffic(hub: GatewayHub, name = "gateway", start = "sluice gateway FILE"): TrafficDriver {
  return {
    name,
    can: { readBack: true, sticky: true },

    check(service) {
      if (hub.live(service).length > 0) return Promise.resolve(null);
      const advice = `start one with "${start}" and wait until it says it follows this controller`;
      return Promise.resolve(`no gateway of service ${service} is connected; ${advice}`);
    },

    async apply(document) {
      const current = hub.current(document.service);
      const isRepeated = current?.epoch === document.epoch && current.seq === document.seq;
      if (current !== null && !isRepeated && !isNewer(document, current)) {
        const found = `document ${document.epoch}.${document.seq} is older than ${current.epoch}.${current.seq}`;
        throw new DriverError("stale-token", "never", `${found}; another rollout has moved on`);
      }
      hub.publish(document);
    },

    read(service) {
      const document = hub.current(service);
      const gateways = hub.live(service);
      if (document === null || gateways.length === 0) return Promise.resolve("unknown");
      const oldest = gateways.map(({ adopted }) => adopted).reduce((a, b) => (isNewer(a, b) ? b : a));
      const isCurrent = oldest.epoch === document.epoch && oldest.seq === document.seq;
      // What an older document said is not known here; only that not everybody has left it.
      return Promise.resolve(
        isCurrent ? { ...oldest, candidateBp: document.candidateBp } : { ...oldest, candidateBp: null },
      );
    },

    confirm: (document, direction) => Promise.resolve(hub.confirm(document, direction)),

    release(service) {
      hub.forget(service);
      return Promise.resolve();
    },
  };
}
