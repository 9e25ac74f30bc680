/** The part of JSON Schema draft-07 that our schemas use. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: Schema;
  readonly additionalProperties?: false | Schema;
  readonly items?: Schema | readonly Schema[];
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

type Find = (value: unknown, schema: Schema, at: string) => readonly string[];
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function isOfType(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}

const refuse = (isRefused: boolean, at: string, expected: unknown): readonly string[] =>
  isRefused ? [`${at}: expected ${JSON.stringify(expected)}`] : [];

/** What each keyword refuses, as the standard says: a keyword of another type than the value's refuses nothing. */
const KEYWORDS: Readonly<Record<string, Find>> = {
  $schema: () => [],
  title: () => [],
  description: () => [],
  format: () => [], // An annotation in draft-07; the pattern beside it decides.
  maxItems: () => [], // With additionalItems: false; both say what the tuple of `items` says.
  additionalItems: () => [],
  type: (value, { type = [] }, at) =>
    refuse(![type].flat().some((one) => isOfType(value, one as string)), at, `type ${[type].flat().join("|")}`),
  const: (value, schema, at) => refuse(value !== schema.const, at, schema.const),
  enum: (value, schema, at) => refuse(schema.enum?.includes(value) === false, at, schema.enum),
  anyOf: (value, { anyOf = [] }, at) => {
    const found = anyOf.map((one) => schemaProblems(one, value, at));
    return found.some((problems) => problems.length === 0) ? [] : found.flat();
  },
  properties: (value, { properties = {} }, at) =>
    isObject(value)
      ? Object.entries(properties).flatMap(([key, one]) =>
          Object.hasOwn(value, key) ? schemaProblems(one, value[key], `${at}/${key}`) : [],
        )
      : [],
  required: (value, { required = [] }, at) =>
    isObject(value) ? required.flatMap((key) => refuse(!Object.hasOwn(value, key), at, `key ${key}`)) : [],
  propertyNames: (value, { propertyNames = {} }, at) =>
    isObject(value) ? Object.keys(value).flatMap((key) => schemaProblems(propertyNames, key, `${at}/${key}`)) : [],
  additionalProperties: (value, { properties = {}, additionalProperties: rest }, at) => {
    const others = isObject(value) ? Object.entries(value).filter(([key]) => !Object.hasOwn(properties, key)) : [];
    return others.flatMap(([key, one]) =>
      rest === false ? refuse(true, `${at}/${key}`, "no such key") : schemaProblems(rest ?? {}, one, `${at}/${key}`),
    );
  },
  items: (value, { items = {} }, at) => {
    if (!Array.isArray(value)) return [];
    if (!("length" in items)) return value.flatMap((one, index) => schemaProblems(items, one, `${at}/${index}`));
    const surplus = refuse(value.length > items.length, at, `${items.length} items`);
    return [...surplus, ...items.flatMap((one, i) => (i < value.length ? schemaProblems(one, value[i], at) : []))];
  },
  minItems: (value, { minItems = 0 }, at) =>
    refuse(Array.isArray(value) && value.length < minItems, at, `${minItems} items`),
  minimum: (value, { minimum = 0 }, at) => refuse(typeof value === "number" && value < minimum, at, `>= ${minimum}`),
  maximum: (value, { maximum = 0 }, at) => refuse(typeof value === "number" && value > maximum, at, `<= ${maximum}`),
  pattern: (value, { pattern = "" }, at) =>
    refuse(typeof value === "string" && !new RegExp(pattern, "u").test(value), at, pattern),
};

/**
 * What a JSON value has that a JSON Schema does not allow, with JSON pointers; empty when it is valid. Reads the schema
 * alone, as other programs do, and not the code it was made from.
 * @throws on a keyword it does not know: an unread keyword must not pass for a kept one
 */
export function schemaProblems(schema: Schema, value: unknown, at = ""): readonly string[] {
  return Object.keys(schema).flatMap((keyword) => {
    const find = KEYWORDS[keyword];
    if (find === undefined) throw new Error(`JSON Schema keyword ${keyword} is not read here; teach it to KEYWORDS`);
    return find(value, schema, at);
  });
}
