import type { JournalEntry } from "../../../core/rollout/journal-entry.ts";
import type { ServiceHour } from "../../../core/observe/hourly-rates.ts";
import type { PointerMove } from "../../../core/service/pointer.ts";
import {
  type Change,
  type ControllerStore,
  endedOf,
  type PublishedDocument,
  type OperatorAnswer,
  type ProcessEntry,
  type PrunedRollout,
  type StoredGrant,
  type StoredPlane,
  type StoredProcess,
  type StoredRollout,
  type StoredToken,
  type StoredUnits,
} from "../../../ports/controller-store.ts";
import { NAMELESS, type OwnedStore, type StoreOwner, type StoreOwnership } from "../../../ports/ownership.ts";

type Report = { readonly orderId: string; readonly report: NonNullable<Change["report"]>["report"] };

/** Who has a store that forgets. */
function memoryOwnership(): OwnedStore & { owns(owner: number): boolean } {
  let held: (StoreOwnership & StoreOwner) | null = null;
  return {
    owns: (owner) => held?.owner === owner,
    own(proposed, holder = NAMELESS) {
      const first = { store: proposed, owner: 0, announcedMs: 0, epochFloor: 0, beat: 0 };
      const { store, owner, announcedMs, epochFloor, beat } = held ?? first;
      held = { store, owner: owner + 1, announcedMs, epochFloor, holder, beat: beat + 1, isReleased: false };
      return Promise.resolve({ store, owner: held.owner, announcedMs, epochFloor });
    },
    keep(owner, announcedMs) {
      if (held?.owner !== owner) return Promise.resolve(false);
      held = { ...held, announcedMs, beat: held.beat + 1 };
      return Promise.resolve(true);
    },
    release(owner) {
      if (held?.owner === owner) held = { ...held, isReleased: true };
      return Promise.resolve();
    },
    owner() {
      if (held === null) return Promise.resolve(null);
      const { store, owner, holder, beat, isReleased } = held;
      return Promise.resolve({ store, owner, holder, beat, isReleased });
    },
  };
}

/** A store that forgets when the process ends. Values are copied in and out, as a database would. */
export function memoryStore(): ControllerStore {
  const rollouts = new Map<string, StoredRollout>();
  const journals = new Map<string, JournalEntry[]>();
  const documents = new Map<string, PublishedDocument>();
  const reports = new Map<string, Report[]>();
  const answers = new Map<string, OperatorAnswer>();
  const hours = new Map<string, ServiceHour>();
  const planes = new Map<string, StoredPlane>();
  const { owns, ...ownership } = memoryOwnership();
  const units = new Map<string, StoredUnits>();
  const pointers = new Map<string, PointerMove[]>();
  const prunedRollouts = new Map<string, PrunedRollout>();
  const tokens = new Map<string, StoredToken>();
  const processes = new Map<string, StoredProcess>();
  const processJournals = new Map<string, ProcessEntry[]>();
  const grants = new Map<string, StoredGrant>();
  const placeOf = ({ pointer: { service, region } }: PointerMove) => `${service}/${region}`;

  const isStaleProcess = ({ process, grant }: Change): boolean => {
    if (grant !== undefined && grant.version !== (grants.get(grant.service)?.version ?? 0) + 1) return true;
    if (process === undefined) return false;
    const { processId } = process.next;
    if ((processes.get(processId)?.version ?? null) !== process.expectedVersion) return true;
    return process.entry.index !== (processJournals.get(processId)?.length ?? 0);
  };

  const isStale = ({ owner, rollout, journal = [], published, pointer, pruned }: Change): boolean => {
    if (owner !== undefined && !owns(owner)) return true;
    if (pruned !== undefined && rollouts.get(pruned.left.rolloutId)?.version !== pruned.expectedVersion) return true;
    if (rollout !== undefined) {
      const stored = rollouts.get(rollout.next.rollout.plan.rolloutId)?.version ?? null;
      if (stored !== rollout.expectedVersion) return true;
    }
    const lengths = new Map<string, number>();
    for (const { rolloutId, index } of journal) {
      const length = lengths.get(rolloutId) ?? journals.get(rolloutId)?.length ?? 0;
      if (index !== length) return true;
      lengths.set(rolloutId, length + 1);
    }
    if (pointer !== undefined && pointer.version !== (pointers.get(placeOf(pointer))?.length ?? 0) + 1) return true;
    if (published === undefined) return false;
    const stored = documents.get(published.next.document.service)?.document ?? null;
    return stored?.epoch !== published.expected?.epoch || stored?.seq !== published.expected?.seq;
  };

  const putReport = ({ rolloutId, orderId, report }: NonNullable<Change["report"]>): void => {
    const list = reports.get(rolloutId) ?? [];
    const index = list.findIndex((known) => known.orderId === orderId);
    reports.set(rolloutId, index < 0 ? [...list, { orderId, report }] : list.with(index, { orderId, report }));
  };

  const prune = ({ left }: NonNullable<Change["pruned"]>): void => {
    for (const kept of [rollouts, journals, reports, units]) kept.delete(left.rolloutId);
    prunedRollouts.set(left.rolloutId, left);
  };

  return {
    commit(change) {
      if (isStale(change) || isStaleProcess(change)) return Promise.resolve(false);
      const {
        rollout,
        journal = [],
        published,
        report,
        answer,
        hours: counted = [],
        planes: heard = [],
        pointer,
        units: seen,
        pruned,
        process,
        grant,
      } = structuredClone(change);
      if (grant !== undefined) grants.set(grant.service, grant);
      if (process !== undefined) {
        const { next, entry } = process;
        processes.set(next.processId, next);
        processJournals.set(next.processId, [...(processJournals.get(next.processId) ?? []), entry]);
      }
      if (pruned !== undefined) prune(pruned);
      if (rollout !== undefined) rollouts.set(rollout.next.rollout.plan.rolloutId, rollout.next);
      for (const entry of journal) journals.set(entry.rolloutId, [...(journals.get(entry.rolloutId) ?? []), entry]);
      if (published !== undefined) documents.set(published.next.document.service, published.next);
      if (pointer !== undefined) pointers.set(placeOf(pointer), [...(pointers.get(placeOf(pointer)) ?? []), pointer]);
      if (change.token !== undefined) tokens.set(change.token.hash, structuredClone(change.token));
      if (seen !== undefined) units.set(seen.rolloutId, seen);
      if (report !== undefined) putReport(report);
      if (answer !== undefined && !answers.has(answer.key)) answers.set(answer.key, answer);
      for (const plane of heard) planes.set(`${plane.service}/${plane.planeId}`, plane);
      for (const count of counted) hours.set(`${count.service}/${count.hour}`, count);
      return Promise.resolve(true);
    },
    ...ownership,
    planes: () => Promise.resolve(structuredClone([...planes.values()])),
    rollouts: () => Promise.resolve(structuredClone([...rollouts.values()])),
    rollout: (rolloutId) => Promise.resolve(structuredClone(rollouts.get(rolloutId) ?? null)),
    unended: () => Promise.resolve(structuredClone([...rollouts.values()].filter((one) => endedOf(one) === null))),
    ended(service) {
      const ended = [...rollouts.values()].flatMap((one) => endedOf(one) ?? []);
      const asked = ended.filter((one) => service === undefined || one.service === service);
      return Promise.resolve(asked.sort((a, b) => a.endedAt - b.endedAt));
    },
    journal: (rolloutId) => Promise.resolve(structuredClone(journals.get(rolloutId) ?? [])),
    processes: () => Promise.resolve(structuredClone([...processes.values()])),
    processJournal: (processId) => Promise.resolve(structuredClone(processJournals.get(processId) ?? [])),
    grants: () => Promise.resolve(structuredClone([...grants.values()])),
    published: () => Promise.resolve(structuredClone([...documents.values()])),
    tokens: () => Promise.resolve(structuredClone([...tokens.values()])),
    pointers: () => Promise.resolve(structuredClone([...pointers.values()].flatMap((moves) => moves.slice(-1)))),
    pointerHistory: (service) =>
      Promise.resolve(
        structuredClone([...pointers.values()].flat().filter((move) => move.pointer.service === service)),
      ),
    reports: (rolloutId) => Promise.resolve(structuredClone(reports.get(rolloutId) ?? [])),
    units: (rolloutId) => Promise.resolve(structuredClone(units.get(rolloutId) ?? null)),
    pruned: () => Promise.resolve(structuredClone([...prunedRollouts.values()])),
    answer: (key) => Promise.resolve(structuredClone(answers.get(key) ?? null)),
    hours: (sinceHour) => Promise.resolve(structuredClone([...hours.values()].filter(({ hour }) => hour >= sinceHour))),
    close: () => Promise.resolve(),
  };
}
