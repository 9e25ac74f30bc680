// Seeded wide events as a busy service writes them, about 530 bytes a line. Both arms are alike.
const DECIMAL = 1_000;

/** A fast seeded generator of numbers in [0, 1). @source G. Marsaglia, "Xorshift RNGs", J. Stat. Softw. 8 (2003) */
export function uniform(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const SITES = [
  ["eu-west", "cdg"],
  ["us-east", "iad"],
  ["ap-south", "bom"],
];

/**
 * Lines of `events` events from `startMs` on, in blocks of about 1 MB. Latency is lognormal, 0.5 % of the answers fail
 * with 503, 2 % are cold, 1 % are probes; a tenth of the buckets is on the candidate.
 */
export function* eventBlocks({ events, seed, perSecond, startMs = 1_756_339_200_000, candidateBp = 1_000 }) {
  const random = uniform(seed);
  let block = "";
  for (let i = 0; i < events; i++) {
    const bucket = Math.floor(random() * 10_000);
    const isCandidate = bucket < candidateBp;
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const tfinal = Math.round(900 * Math.exp(0.5 * normal) * DECIMAL) / DECIMAL;
    const [region, pop] = SITES[Math.floor(random() * SITES.length)];
    const isFailed = random() < 0.005;
    const ts = new Date(startMs + Math.floor((i * 1_000) / perSecond)).toISOString();
    const name = isCandidate ? "candidate" : "stable";
    block += `{"ts":"${ts}","route":"chat.rag.answer","release_id":"${isCandidate ? "b2c9" : "a1f4"}","arm":"${name}","sticky":"h${bucket}","region":"${region}","edge_pop":"${pop}","cold_start":${random() < 0.02},"probe":${random() < 0.01},"status":${isFailed ? 503 : 200},${isFailed ? '"error_class":{"stage":"headers","family":"5xx","code":503},' : ""}"latency_ms":{"ttfb":${Math.round(tfinal / 8)},"tusable":${Math.round(tfinal / 3)},"tfinal":${tfinal},"retrieve":41.5,"rerank":18.2,"reason":${Math.round(tfinal * 0.8)}},"retrieval":{"k":10,"metric":"cosine","analyzer":"standard","index_hash":"0x9a77","delta_s_q_r":0.36,"coverage":0.74,"lambda_state":"unobserved"},"cache":{"prefix":"${name}:","hit":${random() < 0.4}},"queue":{"backlog":3,"age_p95_ms":120}}\n`;
    if (block.length >= 1 << 20) {
      yield block;
      block = "";
    }
  }
  if (block !== "") yield block;
}
