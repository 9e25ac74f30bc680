import { z } from "zod";
import { codePoints } from "../../core/measure/tokenizer.ts";
import type { Path } from "../../spec/source.ts";
import { type ImportedItem, optionalText } from "./imported.ts";
import type { SectionFinder } from "./section-finder.ts";

const named = z.string().trim().min(1, "is an empty text");
const idText = z.union([named, z.int().transform(String)]);
const names = z.union([named, z.array(named)]);
const span = z.strictObject({
  doc: named,
  section: named,
  start: z.int().min(0).optional(),
  end: z.int().min(1).optional(),
});

/** The members of a test's metadata that an import reads; metadata is free, so others are let through. */
export const metadataShape = z.object({
  id: idText.optional(),
  topic: optionalText,
  category: optionalText,
  answerable: z.boolean().optional(),
  gold: z.array(z.union([named, span])).optional(),
  doc: named.optional(),
  section: named.optional(),
  sections: names.optional(),
});

type Metadata = z.infer<typeof metadataShape>;
type Spans = ImportedItem["gold"];

/** Gold of a test, none where it names none, or what is wrong with what it names and where. */
type Gold = { readonly spans: Spans } | { readonly reason: string; readonly path: Path };

/** The first source that a test has decides: spans, a section with its document, sections by id, texts of a context. */
export function goldOfTest(
  vars: Readonly<Record<string, unknown>>,
  { gold, doc, section, sections: ids }: Metadata,
  sections: SectionFinder,
): Gold {
  if (gold !== undefined) {
    return collect(
      gold.map((one, index) => {
        return typeof one === "string" ? byId(one, ["metadata", "gold", index], sections) : known(one);
      }),
    );
  }
  if (doc !== undefined && section !== undefined) return { spans: [{ doc, section }] };
  const listed = ids ?? section;
  if (listed !== undefined) {
    const path = ["metadata", ids === undefined ? "section" : "sections"];
    return collect(idsOf(listed, sections).map((id) => byId(id, path, sections)));
  }
  const context = [vars["context"]].flat().filter((text) => text !== undefined);
  return collect(context.map((text) => byText(text, ["vars", "context"], sections)));
}

/** Ids as a list, or as a text that parts them by commas unless it is an id of the corpus itself. */
function idsOf(listed: string | readonly string[], sections: SectionFinder): readonly string[] {
  if (typeof listed !== "string") return listed;
  if (!listed.includes(",") || (sections.isWhole && "ref" in sections.byId(listed))) return [listed];
  return listed
    .split(",")
    .map((id) => id.trim())
    .filter((id) => id !== "");
}

function byId(id: string, path: Path, sections: SectionFinder): Gold {
  const found = sections.byId(id);
  return "ref" in found ? { spans: [found.ref] } : { reason: `section ${id} ${found.reason}`, path };
}

function byText(text: unknown, path: Path, sections: SectionFinder): Gold {
  if (typeof text !== "string" || text.trim() === "" || text.startsWith("file://")) {
    return { reason: `found ${JSON.stringify(text)} as context, expected the text of a section`, path };
  }
  const found = sections.byText(text.trim());
  if (!("ref" in found)) return { reason: `the context ${found.reason}`, path };
  return { spans: [{ ...found.ref, start: found.start, end: found.start + codePoints(text.trim()) }] };
}

function known({ doc, section, start, end }: z.infer<typeof span>): Gold {
  return { spans: [start === undefined || end === undefined ? { doc, section } : { doc, section, start, end }] };
}

function collect(parts: readonly Gold[]): Gold {
  const wrong = parts.find((part) => "reason" in part);
  return wrong ?? { spans: parts.flatMap((part) => ("spans" in part ? part.spans : [])) };
}
