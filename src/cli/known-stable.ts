import type { ArmPlan } from "../core/stage/plan.ts";
import { findOwner } from "../host/data-directory-lock.ts";
import { stableDocument } from "../spec/rollout-schema.ts";
import { type ControllerAddress, ControllerClient } from "./controller-client.ts";
import type { DocumentFile } from "./read-document.ts";

/** What is known of a document's stable: the service's arm where a controller knows it, and the words for people. */
export interface KnownStable {
  readonly arm: ArmPlan | null;
  readonly says: string;
  /** Arms that the controller cannot read, where it was asked to look: a sentence for each. */
  readonly unread: readonly string[];
}

/**
 * Asks the controller, where one answers, whether a document's stable is what the service serves.
 * @throws CliError exit 13 when the document claims another release
 */
export async function checkStable(read: DocumentFile, address: ControllerAddress, look = false): Promise<KnownStable> {
  const claimed = stableDocument(read.document)?.url ?? "whatever the service serves then";
  const owner = address.controller === null ? await findOwner(address.dataDir) : null;
  if (address.controller === null && owner?.apiUrl == null) {
    const why =
      owner === null
        ? "no controller was there to ask"
        : `process ${owner.pid} owns ${address.dataDir} and did not answer`;
    return { arm: null, says: `${claimed}, as the document says: ${why}`, unread: [] };
  }
  const client = await ControllerClient.connect(address);
  const body = { document: read.text, file: read.file, look };
  // A controller of the version before tells nothing of arms it could not read.
  const { pointer, unread = [] } = await client.post("/v1/claims", {}, body, read);
  if (pointer === null) return { arm: null, says: `${claimed}; the service has had no rollout yet`, unread };
  const { release_id: release, url, since, arm } = pointer;
  const when = `${new Date(since.at).toISOString().slice(0, 19)}Z`;
  return { arm, says: `${url} (release ${release}), since ${since.process} at ${when}`, unread };
}
