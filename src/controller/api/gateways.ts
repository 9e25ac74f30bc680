import { z } from "zod";
import { type ForgetAnswer, forgetBody, type GatewaysAnswer } from "../../contract/gateways.ts";
import type { StoredPlane } from "../../ports/controller-store.ts";
import type { Controller } from "../controller.ts";
import type { Mutation } from "./operator-mutation.ts";
import { problemResponse } from "./problem.ts";

function goneWire({ gatewayId, planeId, service, gone }: StoredPlane): GatewaysAnswer["gone"] {
  return gone === null ? [] : [{ gateway_id: gatewayId, plane_id: planeId, service, ...gone }];
}

/** `GET /v1/gateways`: every data plane that counts, its last word, what it may still send; and those gone. */
export function listGateways(controller: Controller): Response {
  const { planes, hub } = controller;
  const services = [...new Set(planes.all().map(({ service }) => service))].sort();
  const gateways = services.flatMap((service): GatewaysAnswer["gateways"] => {
    const document = hub.current(service);
    const words = hub.words(service);
    const direction = document?.closed.includes("candidate") ? "back" : "forward";
    const standings = document === null ? [] : hub.confirm(document, direction).planes;
    return words.map(({ gatewayId, adopted, override, acceptsUnsigned = false, silentMs }, index) => {
      const leftMs = standings[index]?.candidateLeftMs ?? 0;
      return {
        gateway_id: gatewayId,
        service,
        adopted,
        override,
        accepts_unsigned: acceptsUnsigned,
        silent_ms: silentMs === null ? null : Math.round(silentMs),
        standing: standings[index]?.standing ?? "served",
        text: standings[index]?.text ?? "no document was published yet",
        // Null: until it hears of the document, because it needs no lease.
        candidate_left_ms: Number.isFinite(leftMs) ? Math.ceil(leftMs) : null,
      };
    });
  });
  return Response.json({ gateways, gone: planes.all().flatMap(goneWire) } satisfies GatewaysAnswer);
}

/** `POST /v1/gateways/{id}/forget`: a person's word that a data plane is gone and waits for nothing any more. */
export async function postForget(id: string, mutation: Mutation, controller: Controller): Promise<Response> {
  const parsed = forgetBody.safeParse(mutation.json());
  if (!parsed.success) return problemResponse("bad-request", z.prettifyError(parsed.error));
  const forgotten = await controller.planes.forget(id, mutation.operator, parsed.data.reason);
  if (forgotten === null)
    return problemResponse("not-found", `no gateway "${id}" counts; "sluice gateways" lists them`);
  return Response.json({ gateway_id: forgotten.gatewayId, service: forgotten.service } satisfies ForgetAnswer);
}
