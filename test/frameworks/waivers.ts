const BROKEN_EARLY =
  "A web-standard answer is read before it is sent, so a body that breaks becomes an error instead of half an answer.";

/**
 * Rows in which a framework behaves differently with the fence, and why that is right. A waiver that is not needed
 * fails.
 */
export const WAIVERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...Object.fromEntries(
    ["Express 4, behind everything", "Express 5, behind everything"].map((name) => [
      name,
      {
        "answer: ended twice, written after the end":
          "express-session lets a chunk after the end through while it saves a session; with the fence it is dropped.",
        "answer: thrown after the answer":
          "Express cuts the connection of a handler that throws after its answer; the answer is stored, and the retry gets it.",
      },
    ]),
  ),
  ...Object.fromEntries(
    ["Hono 4", "Request and Response", "Next.js 16 route handler", "Lambda, streaming"].map((name) => [
      name,
      { "answer: thrown while writing": BROKEN_EARLY, "answer: the connection destroyed by the handler": BROKEN_EARLY },
    ]),
  ),
};
