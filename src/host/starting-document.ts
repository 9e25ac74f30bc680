import { readFile } from "node:fs/promises";
import { admitText } from "../core/routing/admit.ts";
import { DOCUMENT_VERSION, type RoutingDocument, VERSION_HEADER } from "../core/routing/document.ts";
import type { KeyRing } from "../plane/key-ring.ts";
import { bp, type EpochMs } from "../core/unit.ts";
import { InputError } from "../probe/input-error.ts";
import { DEFAULTS } from "../spec/plan.ts";
import { type ArmDocument, type RolloutDocument, stableDocument, stickyHeaders } from "../spec/rollout-schema.ts";
import type { KnownController } from "./controller-address.ts";

/** Longest wait for the document in force before the gateway begins with what its file says. */
const FIRST_LOOK_MS = 2_000;

/** Who to ask for the document in force, and where the last one is kept. */
export interface StartingPlaces {
  /** Null when no controller is known yet. */
  readonly controller: KnownController | null;
  readonly stateFile: string;
  readonly keys: KeyRing;
  readonly log: (line: string) => void;
}

/**
 * The document a gateway starts with: the one in force, else everybody on the stable release that the file names. What
 * a file says of stable may be old, so the controller is asked before any user is taken on.
 * @throws InputError `file` when the file says `stable: current` and nobody knows what that is
 */
export async function startingDocument(
  read: RolloutDocument,
  { controller, stateFile, keys, log }: StartingPlaces,
  issuedAt: EpochMs,
): Promise<RoutingDocument> {
  const { service } = read.spec;
  const inForce = controller === null ? null : await documentInForce(controller, service, { keys, log });
  if (inForce !== null) return inForce;
  const stable = stableDocument(read);
  if (stable !== null) return firstDocument(read, stable, issuedAt);
  const kept = await readFile(stateFile, "utf8").catch(() => null);
  const admission = kept === null ? null : admitText(kept, null);
  if (admission?.kind === "adopt") return admission.document;
  const found = `the document says \`stable: current\`, and no controller was there to say what ${service} serves`;
  const advice = "start the controller first, or name the first release with `startsFrom: { url: … }`";
  throw new InputError("file", `${found}; ${advice}`);
}

/** Null when no controller answers, none was published yet, or it is not signed by whom it should be. */
async function documentInForce(
  controller: KnownController,
  service: string,
  { keys, log }: Pick<StartingPlaces, "keys" | "log">,
): Promise<RoutingDocument | null> {
  const { token } = controller;
  const url = `${controller.url.replace(/\/$/, "")}/v1/routing/${encodeURIComponent(service)}`;
  const version = { [VERSION_HEADER]: String(DOCUMENT_VERSION) };
  const headers = { ...version, authorization: `Bearer ${token}`, accept: "application/json" };
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(FIRST_LOOK_MS) }).catch(() => null);
  if (answer === null || !answer.ok) return null;
  const admission = admitText(await answer.text().catch(() => ""), null);
  if (admission.kind !== "adopt" || admission.document.service !== service) return null;
  const seal = await keys.check(admission.document);
  if (seal.kind === "signed") return admission.document;
  log(`the document in force at ${controller.url} is not taken: ${seal.message}`);
  return null;
}

/** What a gateway serves before any controller has spoken: everything to stable. Any published document is newer. */
function firstDocument({ spec }: RolloutDocument, arm: ArmDocument, issuedAt: EpochMs): RoutingDocument {
  const stable = new URL(arm.url);
  return {
    version: 1,
    service: spec.service,
    epoch: 0,
    seq: 0,
    rolloutId: null,
    arms: {
      stable: {
        releaseId: arm.release ?? stable.host,
        endpoints: [stable.origin],
        cachePrefix: arm.cachePrefix ?? "stable:",
      },
      candidate: null,
    },
    candidateBp: bp(0),
    sticky: { hash: "v1", seed: 0, ttlMs: spec.route.stickyFor ?? DEFAULTS.stickyForMs },
    identity: {
      trustedHeaders: spec.route.trustedHeaders.map((header) => header.toLowerCase()),
      stickyBy: stickyHeaders(spec.route),
    },
    allow: spec.route.allow ?? [],
    closed: [],
    drainMs: spec.route.drain ?? DEFAULTS.drainMs,
    issuedAt,
  };
}
