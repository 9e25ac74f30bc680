import type { ProbeReport } from "../../../core/measure/report.ts";
import type { PointerMove } from "../../../core/service/pointer.ts";
import { readJournal, type StoredEntry } from "../../../core/rollout/stored-form.ts";
import type { RoutingDocument } from "../../../core/routing/document.ts";
import type {
  ControllerStore,
  OperatorAnswer,
  PrunedRollout,
  StoredPlane,
  StoredToken,
  StoredUnits,
} from "../../../ports/controller-store.ts";
import { known } from "./client.ts";

/** Asks for rows; a failure is a DriverError. */
export type Read = <Row>(text: string, values?: unknown[]) => Promise<Row[]>;

type Reads = "planes" | "journal" | "published" | "tokens" | "reports" | "units" | "pruned" | "answer" | "hours";

/** What a store tells of its tables. */
export function readsOf(read: Read): Pick<ControllerStore, Reads> {
  return {
    async planes() {
      const rows = await read<{ plane: StoredPlane }>("select plane from planes order by service, plane_id");
      return rows.map(({ plane }) => plane);
    },
    async journal(rolloutId) {
      const text = "select entry from journal where rollout_id = $1 order by entry_index";
      const rows = await read<{ entry: StoredEntry }>(text, [rolloutId]);
      return known(
        readJournal(
          rolloutId,
          rows.map(({ entry }) => entry),
        ),
      );
    },
    async published() {
      const rows = await read<{ document: RoutingDocument; effect_id: string }>(
        "select document, effect_id from documents order by service",
      );
      return rows.map(({ document, effect_id }) => ({ document, orderId: effect_id }));
    },
    async tokens() {
      const rows = await read<{ token: StoredToken }>("select token from tokens order by stored_order");
      return rows.map(({ token }) => token);
    },
    async reports(rolloutId) {
      const text = "select effect_id, report from probe_reports where rollout_id = $1 order by stored_order";
      const rows = await read<{ effect_id: string; report: ProbeReport }>(text, [rolloutId]);
      return rows.map(({ effect_id, report }) => ({ orderId: effect_id, report }));
    },
    async units(rolloutId) {
      const text = "select generation, attempt, evidence from unit_evidence where rollout_id = $1";
      const [row] = await read<Omit<StoredUnits, "rolloutId">>(text, [rolloutId]);
      return row === undefined ? null : { rolloutId, ...row };
    },
    async pruned() {
      const rows = await read<{ pruned: PrunedRollout }>("select pruned from pruned_rollouts order by rollout_id");
      return rows.map(({ pruned }) => pruned);
    },
    async answer(key) {
      return (
        (await read<OperatorAnswer>("select key, fingerprint, status, body from answers where key = $1", [key]))[0] ??
        null
      );
    },
    async hours(sinceHour) {
      const text = "select service, hour, requests from service_hours where hour >= $1 order by service, hour";
      const rows = await read<{ service: string; hour: number; requests: number | string }>(text, [sinceHour]);
      return rows.map(({ service, hour, requests }) => ({ service, hour, requests: Number(requests) }));
    },
  };
}

/** What a store tells of the pointers of services. */
export function pointerReadsOf(read: Read): Pick<ControllerStore, "pointers" | "pointerHistory"> {
  return {
    async pointers() {
      const text = `select move from pointers p where version =
        (select max(version) from pointers where service = p.service and region = p.region) order by service, region`;
      return (await read<{ move: PointerMove }>(text)).map(({ move }) => move);
    },
    async pointerHistory(service) {
      const text = "select move from pointers where service = $1 order by region, version";
      return (await read<{ move: PointerMove }>(text, [service])).map(({ move }) => move);
    },
  };
}
