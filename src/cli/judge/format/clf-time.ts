const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SLASH = 47;
const CLF = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d(?:\.\d+)?) ?([+-]\d{4})?$/;

/** `28/Aug/2025:04:00:00 +0200` as ISO 8601; anything else as it is. @source Common Log Format, `%t` */
export function clfTime(text: unknown): unknown {
  if (typeof text !== "string" || text.charCodeAt(2) !== SLASH) return text;
  const [, day, name = "", year, time, zone] = CLF.exec(text) ?? [];
  const month = MONTHS.indexOf(name) + 1;
  if (day === undefined || month === 0 || zone === undefined) return text;
  return `${year}-${String(month).padStart(2, "0")}-${day}T${time}${zone}`;
}
