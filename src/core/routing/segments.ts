import { xxHash32 } from "../assign/xxhash32.ts";

/** One way of telling users apart for evidence: by a header of the request, or by its path. */
export interface SegmentSource {
  /** What a person calls it: `tenant`. */
  readonly name: string;
  /** Header that holds the value, lower case; null: the path does. */
  readonly header: string | null;
  /** Whether values leave the data plane as they are; without it a keyed hash of them does. */
  readonly show: boolean;
}

/**
 * A segment as evidence names it: `tenant=acme` where values are shown, `tenant#9f3a2c11` where they are hashed,
 * `tenant:none` for requests that say nothing, `tenant:other` for those beyond the bound. The same for one generation
 * at every data plane.
 */
export type SegmentLabel = string;

/** Sizes: ways of telling apart in one document, and letters of a label. */
export const SEGMENT_LIMITS = { sources: 4, name: 32, label: 110 } as const;

export const SEGMENT_NAME = /^[a-z][a-z0-9-]*$/;
export const SEGMENT_LABEL = /^[a-z][a-z0-9-]*(?:=[\x21-\x7e]+|#[0-9a-f]{8}|:none|:other)$/;

const VALUE_MAX = 64;
/** Labels remembered for each source; an attacker's many must not fill memory. */
const REMEMBERED = 4_096;
/** Keeps hashes of segments apart from those of units, whose seed it is. */
const SEGMENT_KEY = 0x5e6d3a91;
const PATH_PARTS = 4;
/** Parts of a path that name one thing among many: numbers, UUIDs, long hexadecimal words. */
const IDENTIFIER = /^(?:\d+|[0-9a-f-]{16,}|.{33,})$/i;

/** The label of a value. @param value as `segmentValue` has it */
export function segmentLabel({ name, show }: SegmentSource, value: string, seed: number): SegmentLabel {
  if (value === "") return `${name}:none`;
  if (show) return `${name}=${value.slice(0, VALUE_MAX).replace(/[^\x21-\x7e]/g, "_")}`;
  return `${name}#${xxHash32(value, (seed ^ SEGMENT_KEY) >>> 0)
    .toString(16)
    .padStart(8, "0")}`;
}

/** The label that takes what is beyond the bound. */
export function otherSegment(label: SegmentLabel): SegmentLabel {
  return `${/^[a-z0-9-]*/.exec(label)?.[0] ?? ""}:other`;
}

/**
 * What of a header or path counts. Of `accept-language` the first tag, because the rest is preference and rarely the
 * same twice; of a path its first parts, with `*` for what names one thing among many.
 */
export function segmentValue({ header }: SegmentSource, text: string): string {
  if (header === "accept-language") return (/^\s*([A-Za-z0-9*-]+)/.exec(text)?.[1] ?? "").toLowerCase();
  if (header !== null) return text.trim();
  const parts = text
    .replace(/[?#].*$/s, "")
    .split("/")
    .slice(1, PATH_PARTS + 1);
  return `/${parts.map((part) => (IDENTIFIER.test(part) ? "*" : part)).join("/")}`;
}

/** Reads the segments of requests before they are assigned, for one document. */
export class SegmentReader {
  readonly #sources: readonly SegmentSource[];
  readonly #labels: readonly Map<string, SegmentLabel>[];
  /** Place of the source a header name belongs to, by spelling as received; −1 for none. */
  readonly #places = new Map<string, number>();
  readonly #pathPlace: number;
  readonly #seed: number;

  constructor(sources: readonly SegmentSource[], seed: number) {
    this.#sources = sources;
    this.#labels = sources.map(() => new Map());
    this.#pathPlace = sources.findIndex(({ header }) => header === null);
    this.#seed = seed;
  }

  /** One label for each source. @param headers name, value, …; of two copies of a header the first counts */
  read(headers: readonly string[], path: string): readonly SegmentLabel[] {
    const texts: (string | undefined)[] = this.#sources.map(() => undefined);
    for (let at = 0; at < headers.length; at += 2) {
      const place = this.#placeOf(headers[at] as string);
      if (place >= 0) texts[place] ??= headers[at + 1] as string;
    }
    if (this.#pathPlace >= 0) texts[this.#pathPlace] = path;
    return texts.map((text, place) => this.#labelOf(place, text ?? ""));
  }

  #placeOf(name: string): number {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase();
    const place = this.#sources.findIndex(({ header }) => header === lower);
    if (this.#places.size < REMEMBERED) this.#places.set(name, place);
    return place;
  }

  #labelOf(place: number, text: string): SegmentLabel {
    const [source, labels] = [this.#sources[place] as SegmentSource, this.#labels[place] as Map<string, SegmentLabel>];
    const known = labels.get(text);
    if (known !== undefined) return known;
    const label = segmentLabel(source, segmentValue(source, text), this.#seed);
    if (labels.size < REMEMBERED) labels.set(text, label);
    return label;
  }
}
