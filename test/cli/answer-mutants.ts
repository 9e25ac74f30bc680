/** An answer changed at one place, with what was changed. */
interface Mutant {
  readonly says: string;
  readonly mutant: unknown;
}

/** Objects whose keys are names of topics, metrics, gates or error classes: there a name can be any other. */
const FREE_KEYS = ["by_topic", "coverage_diff_by_topic", "detectable_drop", "error_classes", "causes"];
/** Keys whose value is one of a list. */
const LISTED = [
  "verdict",
  "type",
  "kind",
  "code",
  "scale",
  "level",
  "self_test",
  "tier",
  "digest",
  "gold_digest",
  "decided_at_ts",
];

/** Ways to change one value in its place, each of which breaks the shape. */
function changes(value: unknown, key: string): readonly (readonly [says: string, changed: unknown])[] {
  if (typeof value === "number") return [["a text for a number", String(value)]];
  if (typeof value === "boolean") return [["a text for a flag", String(value)]];
  if (typeof value === "string") {
    return [["a number for a text", 1], ...(LISTED.includes(key) ? ([["an unknown value", "maybe"]] as const) : [])];
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const entries = Object.entries(value);
  const added = ["a key added", { ...value, surplus: "x" }] as const;
  if (FREE_KEYS.includes(key)) return [added];
  return [
    added,
    ...entries.flatMap(([name]) => {
      const others = entries.filter(([other]) => other !== name);
      const renamed = Object.fromEntries(entries.map(([other, one]) => [other === name ? `${other}_` : other, one]));
      return [
        [`${name} renamed`, renamed],
        [`${name} left out`, Object.fromEntries(others)],
      ] as const;
    }),
  ];
}

/**
 * An answer changed in one place at a time, everywhere: keys renamed, added and left out, values of another type,
 * values that are in no list. Of a list only the first member is changed: the others have its schema.
 */
export function mutantsOf(value: unknown, key = "", at = ""): readonly Mutant[] {
  const own = changes(value, key).map(([says, mutant]) => ({ says: `${at}/: ${says}`, mutant }));
  if (typeof value !== "object" || value === null) return own;
  const parts = Array.isArray(value) ? value.slice(0, 1).map((one) => ["0", one] as const) : Object.entries(value);
  const within = parts.flatMap(([name, one]) =>
    mutantsOf(one, name, `${at}/${name}`).map(({ says, mutant }) => ({
      says,
      mutant: Array.isArray(value) ? [mutant, ...value.slice(1)] : { ...value, [name]: mutant },
    })),
  );
  return [...own, ...within];
}
