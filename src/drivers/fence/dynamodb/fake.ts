import { type Attribute, CONDITION_FAILED, type DynamoClient, type Item } from "./client.ts";

/** Longest item in bytes, names and values together. @source Amazon DynamoDB, service quotas */
const ITEM_BYTES_MAX = 409_600;

interface Expression {
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, Attribute>;
}

class ServiceError extends Error {
  override readonly name: string;
  readonly Item: Item | undefined;
  constructor(name: string, message: string, item?: Item) {
    super(message);
    this.name = name;
    this.Item = item;
  }
}

const invalid = (message: string) => new ServiceError("ValidationException", message);

/** `#a` and `:v` must be declared, and every declared one used, as the service demands. */
function checkNames(expression: Expression, text: string): void {
  const declared = [
    ...Object.keys(expression.ExpressionAttributeNames ?? {}),
    ...Object.keys(expression.ExpressionAttributeValues ?? {}),
  ];
  const used = new Set(text.match(/[#:][A-Za-z0-9_]+/g) ?? []);
  for (const name of used) if (!declared.includes(name)) throw invalid(`${name} is used and not declared`);
  for (const name of declared) if (!used.has(name)) throw invalid(`${name} is declared and not used`);
}

/**
 * The grammar we use: terms joined by AND, each \`attribute_not_exists(#a)\` or \`#a = :v\`. Anything else is refused.
 */
function holds(expression: Expression, item: Item | undefined): boolean {
  const text = expression.ConditionExpression;
  if (text === undefined) return true;
  return text.split(" AND ").every((term) => {
    const absent = /^attribute_not_exists\((#\w+)\)$/.exec(term);
    if (absent) return item?.[expression.ExpressionAttributeNames?.[absent[1] as string] as string] === undefined;
    const equal = /^(#\w+) = (:\w+)$/.exec(term);
    if (!equal) throw invalid(`the fake does not know the condition ${term}`);
    const found = item?.[expression.ExpressionAttributeNames?.[equal[1] as string] as string];
    return JSON.stringify(found) === JSON.stringify(expression.ExpressionAttributeValues?.[equal[2] as string]);
  });
}

/**
 * A contract fake of the part of DynamoDB the fence uses, in memory: conditional put and delete, consistent get, atomic
 * ADD. It refuses expressions outside that part, undeclared and unused names, empty partition keys and items that are
 * too large. It is not DynamoDB: no throttling, no time-to-live, no replicas.
 */
export function fakeDynamo(tables: readonly string[], latency: () => Promise<void> = async () => {}): DynamoClient {
  const items = new Map(tables.map((table) => [table, new Map<string, Item>()]));

  function open(table: string, key: Item): { readonly rows: Map<string, Item>; readonly pk: string } {
    const rows = items.get(table);
    if (rows === undefined) throw new ServiceError("ResourceNotFoundException", `no table ${table}`);
    const pk = key["pk"];
    if (pk === undefined || !("S" in pk) || pk.S === "")
      throw invalid("the partition key pk is a text that is not empty");
    if (new TextEncoder().encode(pk.S).length > 2_048) throw invalid("the partition key is longer than 2048 bytes");
    return { rows, pk: pk.S };
  }

  /** Both directions take time, so that calls interleave as on a network; the decision itself is one step. */
  async function atomically<T>(step: () => T): Promise<T> {
    await latency();
    const answer = step();
    await latency();
    return answer;
  }

  return {
    putItem: (input) =>
      atomically(() => {
        const { rows, pk } = open(input.TableName, input.Item);
        checkNames(input, input.ConditionExpression ?? "");
        if (JSON.stringify(input.Item).length > ITEM_BYTES_MAX) throw invalid("the item is larger than 400 KB");
        const old = rows.get(pk);
        const told = input.ReturnValuesOnConditionCheckFailure === "ALL_OLD" ? old : undefined;
        if (!holds(input, old)) throw new ServiceError(CONDITION_FAILED, "the condition is not met", told);
        rows.set(pk, structuredClone(input.Item));
      }),
    getItem: (input) =>
      atomically(() => {
        const { rows, pk } = open(input.TableName, input.Key);
        return { Item: structuredClone(rows.get(pk)) };
      }),
    updateItem: (input) =>
      atomically(() => {
        const { rows, pk } = open(input.TableName, input.Key);
        checkNames(input, `${input.UpdateExpression} ${input.ConditionExpression ?? ""}`);
        const add = /^ADD (#\w+) (:\w+)$/.exec(input.UpdateExpression);
        if (!add) throw invalid(`the fake does not know the update ${input.UpdateExpression}`);
        const name = input.ExpressionAttributeNames?.[add[1] as string] as string;
        const old = rows.get(pk) ?? input.Key;
        const [had, more] = [old[name], input.ExpressionAttributeValues?.[add[2] as string]] as (
          | { N: string }
          | undefined
        )[];
        const sum = { N: `${Number(had?.N ?? 0) + Number(more?.N)}` };
        rows.set(pk, { ...old, [name]: sum });
        return { Attributes: { [name]: sum } };
      }),
    deleteItem: (input) =>
      atomically(() => {
        const { rows, pk } = open(input.TableName, input.Key);
        checkNames(input, input.ConditionExpression ?? "");
        if (!holds(input, rows.get(pk))) throw new ServiceError(CONDITION_FAILED, "the condition is not met");
        rows.delete(pk);
      }),
  };
}
