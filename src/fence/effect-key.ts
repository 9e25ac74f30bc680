import { digestOf, sha256Hex } from "./digest.ts";

/** What makes one effect the same effect wherever and however often its cause arrives. */
export interface EffectSource {
  readonly tenant: string;
  /** Kind of the cause: `order`, `webhook:billing`, `job:reindex`. */
  readonly sourceType: string;
  readonly sourceId: string;
  /** Revision of the source; a new revision is a new effect. */
  readonly revision: string;
  /** What is done about it: `charge`, `send-receipt`. */
  readonly action: string;
}

/**
 * Key of one outside effect. It holds no release, region, colour, INDEX_HASH, time or random part, so that one event
 * handled on both arms of a cutover has one key.
 * @returns 64 lower-case hexadecimal characters
 * @source definitions.md §7
 */
export function effectKey(source: EffectSource): Promise<string> {
  return digestOf([source.tenant, source.sourceType, source.sourceId, source.revision, source.action]);
}

/**
 * Key of work that belongs to one index (ingest, embed, build): the effect key's parts and INDEX_HASH, because the same
 * document must be embedded once for each index.
 * @source definitions.md §7
 */
export function indexKey(source: EffectSource, indexHash: string): Promise<string> {
  return digestOf([source.tenant, source.sourceType, source.sourceId, source.revision, source.action, indexHash]);
}

/** Parts the literal templates join; each template uses the ones its formula names. */
export interface LiteralParts {
  readonly id: string;
  readonly revision: string;
  readonly indexHash?: string;
}

/** A `dedupe_key` formula written down elsewhere, kept by name for compatibility. */
export interface LiteralTemplate {
  readonly formula: string;
  /** False when one event handled on both arms of a cutover gets two keys; `plan` warns about it. */
  readonly holdsAcrossCutover: boolean;
  keyOf(parts: LiteralParts): Promise<string>;
}

const joined = (parts: LiteralParts) => sha256Hex(`${parts.id}${parts.revision}${parts.indexHash ?? ""}`);

/**
 * The literal formulas. They join without a separator and without a tenant, so `a1`+`2` and `a`+`12` are one key:
 * prefer `effectKey`.
 * @source requirements.md ID-1, ID-2, ID-3
 */
export const LITERAL_TEMPLATES = {
  "source-revision-index": {
    formula: "sha256(source_id + revision + index_hash)",
    holdsAcrossCutover: false,
    keyOf: joined,
  },
  "source-event-rev-index": {
    formula: "sha256(source_id + event_rev + index_hash)",
    holdsAcrossCutover: false,
    keyOf: joined,
  },
  "event-rev": {
    formula: "sha256(event_id + rev)",
    holdsAcrossCutover: true,
    keyOf: ({ id, revision }: LiteralParts) => sha256Hex(`${id}${revision}`),
  },
} as const satisfies Readonly<Record<string, LiteralTemplate>>;
