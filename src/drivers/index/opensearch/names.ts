import { DriverError } from "../../../ports/driver-error.ts";
import type { AliasRecord } from "../flip-rule.ts";
import type { HttpSend } from "../../http-send.ts";
import type { NamedStore } from "../native-flip.ts";
import { documentOf, membersOf, NAME } from "./answers.ts";

/** Index of our records, one document a name; made with the first. */
const RECORDS = "/sluice-index-alias";

/**
 * A name as a part of a path.
 * @throws DriverError `rejected` for one that would mean several: commas, wildcards, `_all`
 */
export function pathOf(name: string): string {
  if (!/^[^-_+\s"*\\<>|,/?#:][^\s"*\\<>|,/?#:]*$/.test(name)) {
    const expected = "expected one name, without commas, wildcards and signs that no index may have";
    throw new DriverError("rejected", "never", `${NAME}: "${name}" can be no index and no alias; ${expected}`);
  }
  return encodeURIComponent(name);
}

/** The names of a cluster, and our records of them. */
export function openSearchNames(send: HttpSend): NamedStore {
  async function document(alias: string, signal: AbortSignal) {
    const path = `${RECORDS}/_doc/${pathOf(alias)}`;
    const { status, body } = await send({ method: "GET", path, also: [404] }, signal);
    return status === 404 ? null : documentOf(body);
  }

  /** Writes the record if its version is still that one; null: if there is none. */
  async function write(alias: string, version: string | null, next: AliasRecord, signal: AbortSignal) {
    const path = version === null ? `_create/${pathOf(alias)}` : `_doc/${pathOf(alias)}?${version}`;
    const body = { index: next.index, epoch: next.epoch, previous: next.previous };
    const { status } = await send({ method: "PUT", path: `${RECORDS}/${path}`, body, also: [409] }, signal);
    return status !== 409;
  }

  return {
    async target(alias, signal) {
      const path = `/_alias/${pathOf(alias)}`;
      const { status, body } = await send({ method: "GET", path, also: [404] }, signal);
      const members = status === 404 ? [] : membersOf(body);
      if (members.length <= 1) return members[0] ?? null;
      const found = `${NAME}: ${alias} points to ${members.join(" and ")}, and readers meet all of them`;
      throw new DriverError("rejected", "never", `${found}; remove the alias from all but one`);
    },
    async read(alias, signal) {
      return (await document(alias, signal))?._source ?? null;
    },
    async hasIndex(index, signal) {
      const { status, body } = await send({ method: "GET", path: `/${pathOf(index)}/_mapping`, also: [404] }, signal);
      return status !== 404 && Object.hasOwn(body as object, index); // The key is another one for an alias.
    },
    async replace(alias, was, next, signal) {
      const found = await document(alias, signal);
      if (was === null) return found === null && (await write(alias, null, next, signal));
      if (found === null || found._source.epoch !== was.epoch || found._source.index !== was.index) return false;
      return write(alias, `if_seq_no=${found._seq_no}&if_primary_term=${found._primary_term}`, next, signal);
    },
    async move(alias, from, to, signal) {
      // One step of the cluster's state. `PUT /_alias` alone would add a second member.
      const remove = from === null ? [] : [{ remove: { index: from, alias, must_exist: true } }];
      const actions = [...remove, { add: { index: to, alias, is_write_index: true } }];
      const ask = { method: "POST", path: "/_aliases", body: { actions }, also: [404] } as const;
      const { status, body } = await send(ask, signal);
      if (status === 404) return false; // `from` did not carry the alias any more.
      if ((body as { acknowledged?: unknown } | null)?.acknowledged === true) return true;
      const what = `${NAME}: the cluster did not acknowledge in time that ${alias} points to ${to}`;
      throw new DriverError("timeout", "safe", what);
    },
  };
}
