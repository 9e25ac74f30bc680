import { DriverError } from "../../../ports/driver-error.ts";

/** Attribute values we use: text and numbers (as text, as the wire has them). */
export type Attribute = { readonly S: string } | { readonly N: string };
export type Item = Readonly<Record<string, Attribute>>;

interface Condition {
  readonly TableName: string;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, Attribute>;
}

interface PutInput extends Condition {
  readonly Item: Item;
  readonly ReturnValuesOnConditionCheckFailure?: "ALL_OLD";
}

interface DeleteInput extends Condition {
  readonly Key: Item;
}

interface GetInput {
  readonly TableName: string;
  readonly Key: Item;
  readonly ConsistentRead: true;
}

interface UpdateInput extends Condition {
  readonly Key: Item;
  readonly UpdateExpression: string;
  readonly ReturnValues: "UPDATED_NEW";
}

/** The members of a DynamoDB client we call; the aggregated `DynamoDB` of the AWS SDK has them. */
export interface DynamoClient {
  putItem(input: PutInput): Promise<unknown>;
  getItem(input: GetInput): Promise<{ readonly Item?: Item | undefined }>;
  updateItem(input: UpdateInput): Promise<{ readonly Attributes?: Item | undefined }>;
  deleteItem(input: DeleteInput): Promise<unknown>;
}

export const CONDITION_FAILED = "ConditionalCheckFailedException";

const FINAL: Readonly<Record<string, "unauthorized" | "rejected">> = {
  AccessDeniedException: "unauthorized",
  UnrecognizedClientException: "unauthorized",
  ResourceNotFoundException: "rejected",
  ValidationException: "rejected",
};

/**
 * Runs one call. A failed condition is an answer: the item that was there where the call asked for it, else null.
 * Every other failure is a DriverError.
 */
export async function orCondition<T>(call: Promise<T>): Promise<{ readonly ok: T } | { readonly failed: Item | null }> {
  try {
    return { ok: await call };
  } catch (error) {
    const { name = "", Item: item = null } = error as { name?: string; Item?: Item | null };
    if (name === CONDITION_FAILED) return { failed: item };
    const message = error instanceof Error ? error.message : String(error);
    const code = FINAL[name];
    throw new DriverError(code ?? "unreachable", code ? "never" : "safe", `fence/dynamodb: ${name}: ${message}`, error);
  }
}
