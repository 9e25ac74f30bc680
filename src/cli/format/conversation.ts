import { type GoldItem, sectionKey } from "../../core/measure/gold.ts";
import { describeErrorClass } from "../../core/window/error-class.ts";
import { excerptOf } from "../../probe/body-text.ts";
import type { Conversation } from "../../probe/target.ts";

const SECTIONS_SHOWN = 5;
const ANSWER_CHARS = 160;

/** One question as it was sent, answered and understood, as lines for people. Values of headers are not in it. */
export function conversationLines(conversation: Conversation, gold: GoldItem | null): readonly string[] {
  const { request, status, contentType, text, tookMs } = conversation;
  const body = request.body === null ? "" : `  ${excerptOf(JSON.stringify(request.body))}`;
  const got = status === null ? "nothing" : `${status}${contentType === null ? "" : ` ${contentType}`}`;
  return [
    `sent    ${request.method} ${request.url}${body}`,
    `        headers ${request.headerNames.join(", ")}`,
    `got     ${got} after ${Math.round(tookMs)} ms${text === null || text === "" ? "" : `  ${excerptOf(text)}`}`,
    ...mappedLines(conversation, gold).map((line, index) => `${index === 0 ? "mapped " : "       "} ${line}`),
  ];
}

function mappedLines(conversation: Conversation, gold: GoldItem | null): readonly string[] {
  const { result } = conversation;
  if (result.kind === "error") return [`nothing: the probe ${describeErrorClass(result.errorClass)}`];
  if (result.kind === "schema-violation") return [`nothing: ${result.detail}`];
  const { answer, refused, retrieved, citations } = result.answer;
  const names = (list: readonly { readonly doc: string; readonly section: string }[]) => {
    const shown = list.slice(0, SECTIONS_SHOWN).map(({ doc, section }) => `${doc} ${section}`);
    return shown.length === 0 ? "none" : `${shown.join(", ")}${list.length > SECTIONS_SHOWN ? ", …" : ""}`;
  };
  const text = answer.replaceAll(/\s+/g, " ");
  const isTextless = retrieved.length > 0 && retrieved.every((passage) => passage.text === "");
  return [
    `answer ${text === "" ? "(empty)" : text.slice(0, ANSWER_CHARS)}${text.length > ANSWER_CHARS ? "…" : ""}`,
    `refused ${refused}`,
    `retrieved ${retrieved.length}: ${names(retrieved)}${isTextless ? "; no text, so coverage is by ids (L3) and delta_s is not measured" : ""}`,
    `cited ${citations.length}: ${names(citations)}`,
    ...goldLines(conversation, gold),
  ];
}

/** Whether an answer retrieved any of the question's gold; true where nothing is wanted or nothing was answered. */
export function hasGold({ result }: Conversation, { gold }: Pick<GoldItem, "gold">): boolean {
  if (result.kind !== "answer" || gold.length === 0) return true;
  const keys = new Set(result.answer.retrieved.map(sectionKey));
  return gold.some((span) => keys.has(sectionKey(span)));
}

function goldLines(conversation: Conversation, gold: GoldItem | null): readonly string[] {
  if (gold === null || gold.gold.length === 0) return [];
  const wanted = gold.gold.map(({ doc, section }) => `${doc} ${section}`).join(", ");
  return [`gold ${hasGold(conversation, gold) ? "is among them" : "is NOT among them"}: ${wanted}`];
}
