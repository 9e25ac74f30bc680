export interface InitAnswers {
  readonly service: string;
  readonly stable: string;
  readonly candidate: string;
  readonly header: string;
}

/** How a release is judged for good. */
const FOR_GOOD = `  strategy:
    pace: evidence              # shares chosen by your traffic and what is proven; or fixed steps:
    # canary: { steps: [{ probes: true }, { weight: 10, hold: 15m }, { weight: 50, hold: 30m }], watch: 1h }
  gates:
    - use: default              # sluice plan rollout.yaml says what it needs at your traffic
    # - use: llm                # and tokens, cost, refusals, thumbs-down …: holds and asks; docs/judge.md
`;

/** Proof of so little that a few requests a second give it in minutes; what is grossly broken still goes back. */
const TRIAL = `  # A first try: the whole way in some three minutes at 10 requests a second. It excludes gross harm only, so write
  # strategy: { pace: evidence } and gates: [{ use: default }] before you release something that matters.
  strategy:
    canary:
      steps: [{ probes: true }, { weight: 20, hold: 30s, cap: 15m }, { weight: 50, hold: 30s, cap: 15m }]
      watch: 1m
  gates:
    - use: default
    - { gate: error-rate, margin: { under10: 0.1, under50: 0.1, from50: 0.1 }, minSamples: 50 }
    - { gate: p95-warm, margin: { under10: 3, under50: 3, from50: 3 }, minSamples: 50, swingMs: 5000 }
    - { gate: coverage, dropMargin: { under10: 0.3, under50: 0.3, from50: 0.3 } }
    - { gate: delta-s, driftMargin: { under10: 0.3, under50: 0.3, from50: 0.3 } }
    - { gate: lambda, margin: { under10: 0.3, under50: 0.3, from50: 0.3 } }
`;

/** A runnable rollout document that teaches by its comments. `isTrial`: one that is through in minutes. */
export function rolloutTemplate(answers: InitAnswers, isTrial: boolean): string {
  const { service, stable, candidate, header } = answers;
  return `# One rollout: moves ${service} from its stable release to a candidate. Check it with: sluice validate rollout.yaml
apiVersion: sluice/v1
kind: Rollout
metadata:
  name: ${service}-1            # a new name for every rollout
spec:
  service: ${service}
  stable: current               # what users have now; Sluice knows it from the first rollout on
  startsFrom:                   # where that is before the first rollout; not read afterwards
    url: ${stable}              # where questions are answered; users are sent to its host
    # health: null              # or the URL of its health answer; null: it has none, identity is not compared
  candidate:
    url: ${candidate}
  # healthMap: {}               # when health answers have another shape: docs/services/contract.md
  # access: {}                  # an API key or token for probes and health: docs/services/access.md
  changes: []                   # METRIC, ANALYZER or EMBED_SCHEMA, when they differ on purpose
  route:
    driver: gateway
    listen: 127.0.0.1:4000      # users go through here: sluice gateway rollout.yaml
    # set by your own proxy after authentication, never by the client
    trustedHeaders: [${header}]
    stickyBy: [{ header: ${header} }]
  probes:
    set: gold.yaml              # questions whose evidence you know
    k: 10
    repeats: 2
    # map: map.yaml             # when your answers have another shape: docs/services/mapping.md
    # corpus: docs              # source documents; makes coverage exact
${isTrial ? TRIAL : FOR_GOOD}  onFail: { do: rollback, to: stable }
`;
}

const QUESTIONS = 10;

/** A gold set of ten questions to be replaced; shaped so that the reader accepts it as it stands. */
export function goldTemplate(): string {
  const items = Array.from({ length: QUESTIONS }, (_, index) => {
    const number = index + 1;
    return `- id: question-${number}
  topic: general
  phrasings:                    # the first is canonical; three ways a user would ask the same
    - Replace this by question ${number} as a user would ask it
    - Replace this too, question ${number} as another user would ask it
    - And this, by question ${number} as a user in a hurry would ask it
  answerable: true
  gold: [{ doc: replace-me, section: "replace-me#section-${number}" }]
`;
  });
  return `# Gold set: replace these ${QUESTIONS} questions. Check it with: sluice gold lint gold.yaml --corpus DIR\n${items.join("")}`;
}
