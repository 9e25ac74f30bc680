// What is decided in `bench:decide` and `bench:against-core`: one document, and the units that ask.

const target = (name) => ({ releaseId: `r-${name}`, endpoints: ["http://127.0.0.1:4001"], cachePrefix: `${name}:` });

export const document = {
  version: 1,
  service: "support-rag",
  epoch: 3,
  seq: 7,
  rolloutId: "support-rag-7",
  arms: { stable: target("a1"), candidate: target("b2") },
  candidateBp: 1_000,
  sticky: { hash: "v1", seed: 3_735_928_559, ttlMs: 86_400_000 },
  identity: { trustedHeaders: ["x-user-id"], stickyBy: ["x-user-id"] },
  allow: ["tester-1", "tester-2", "tester-3"],
  closed: [],
  drainMs: 60_000,
  issuedAt: 0,
};

/** 4096 tenant-like keys of 20 characters, the same in every run. */
export const keys = Array.from({ length: 4_096 }, (_, i) =>
  Buffer.from(`tn_${String(Math.imul(i + 1, 2_654_435_761) >>> 0).padStart(17, "0")}`).toString("latin1"),
);
