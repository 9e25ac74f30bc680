// What the fake services know: twelve sections of an invented library's rules, and the questions they answer. Retrieval is
// word overlap, which is enough for questions that share words with their sections.

/** @type {readonly { doc: string, section: string, question: string, text: string }[]} */
export const SECTIONS = [
  ["loans", "How long may a book be kept at home?", "A book may be kept at home for four weeks after it was lent."],
  [
    "loans",
    "How often can a loan be extended?",
    "A loan can be extended twice unless another reader has reserved the book.",
  ],
  ["loans", "What does a lost book cost?", "A lost book costs its price in the shop and a fee of three crowns."],
  [
    "loans",
    "Can journals be lent over a weekend?",
    "Journals are lent over a weekend only, from Friday noon to Monday.",
  ],
  ["loans", "Who may borrow rare maps?", "Rare maps may be borrowed by members of the map society alone."],
  ["loans", "Where are returned books put?", "Returned books are put into the blue box beside the door."],
  ["rooms", "When does the reading room close?", "The reading room closes at nine in the evening, on Sundays at five."],
  ["rooms", "How is a study cabin booked?", "A study cabin is booked at the desk for one afternoon."],
  ["rooms", "May coffee be taken into the hall?", "Coffee may be taken into the hall in a cup with a lid."],
  ["rooms", "Which room has silent keyboards?", "The northern room has silent keyboards and thick curtains."],
  ["rooms", "How many people fit into the lecture room?", "The lecture room fits sixty people on benches."],
  ["rooms", "Where can a bicycle be locked?", "A bicycle can be locked under the arcade behind the garden."],
].map(([doc, question, text], index) => ({ doc, section: `rule-${index + 1}`, question, text }));

/** @param {string} text */
const words = (text) => new Set(text.toLowerCase().match(/[a-z]+/g) ?? []);

/** The best sections for a question, best first. @param {string} question @param {number} k */
export function retrieve(question, k = 5) {
  const asked = words(question);
  return SECTIONS.map((section) => {
    const own = words(section.text);
    const shared = [...own].filter((word) => asked.has(word)).length;
    return { ...section, score: shared / own.size };
  })
    .sort((a, b) => b.score - a.score)
    .slice(0, k);
}

/** The questions as a gold set, each in three wordings. */
export function goldSet() {
  return SECTIONS.map(({ doc, section, question }, index) => {
    const phrasings = [question, `Please tell me: ${question}`, `I would like to know, ${question}`];
    const gold = [{ doc, section }];
    return JSON.stringify({ id: `q${index + 1}`, topic: doc, phrasings, answerable: true, gold });
  }).join("\n");
}
