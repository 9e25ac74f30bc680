import { DriverError } from "../../ports/driver-error.ts";
import { redisCommand } from "../redis.ts";
import type { AliasRecords } from "./flip-rule.ts";
import { lazyRedis } from "./lazy-redis.ts";
import { keysOf, redisRecords } from "./redis-records.ts";

/** Records of names that are kept with one writer in Redis, because the store of the indexes compares nothing. */
export interface EpochsElsewhere {
  readonly records: Pick<AliasRecords, "read" | "replace">;
  close(): Promise<void>;
}

/**
 * Splits the address of a store from that of its epochs, which stands in it: `https://host?epochs=redis://…`, and
 * `epochsSecretFile` where a password is needed.
 * @throws DriverError `rejected` where none is named: without epochs a late flip could not be told from a new one
 */
export function splitEpochs(driver: string, whole: string): { readonly url: string; readonly epochs: EpochsElsewhere } {
  const wanted = "name where epochs are kept: ?epochs=redis://…";
  if (!URL.canParse(whole)) throw new DriverError("rejected", "never", `${driver}: url is no address; ${wanted}`);
  const address = new URL(whole);
  const [kept, secretFile] = ["epochs", "epochsSecretFile"].map((key) => address.searchParams.get(key));
  if (kept == null) throw new DriverError("rejected", "never", `${driver}: the url says no epochs; ${wanted}`);
  address.search = "";
  const client = lazyRedis(driver, kept, secretFile ?? null);
  const records = redisRecords(redisCommand(driver, client), keysOf("sluice-index"));
  return { url: address.href, epochs: { records, close: () => client.close() } };
}
