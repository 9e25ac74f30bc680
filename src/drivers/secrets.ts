/** Shorter texts are no secrets, and taking them out would leave texts unreadable. */
const SECRET_CHARS_MIN = 4;
const HIDDEN = "***";

const known = new Set<string>();

/** Remembers a secret that was resolved, in every spelling in which an answer or an error may repeat it. */
export function keepSecret(secret: string): void {
  if (secret.length < SECRET_CHARS_MIN) return;
  known.add(secret);
  known.add(JSON.stringify(secret).slice(1, -1));
  known.add(encodeURIComponent(secret));
  known.add(formEncoded(secret));
  known.add(Buffer.from(secret, "utf8").toString("base64"));
}

/** As OAuth clients write a secret into the Basic header. @source RFC 6749 §2.3.1, appendix B */
export function formEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[-_.!~*'()]/g, (sign) => {
    return `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}

/** A text without any secret this process has resolved. Longest first, so that no part of one is left. */
export function redactSecrets(text: string): string {
  if (known.size === 0) return text;
  return [...known]
    .sort((a, b) => b.length - a.length)
    .reduce((rest, secret) => (rest.includes(secret) ? rest.replaceAll(secret, HIDDEN) : rest), text);
}
