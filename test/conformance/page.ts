import type { Result, RunOf } from "./recorded.ts";

const COLUMNS: Readonly<Record<RunOf["port"], readonly (readonly [key: string, title: string])[]>> = {
  index: [
    ["alias", "public name"],
    ["compareAndSet", "compares and sets"],
    ["epochs", "keeps epochs"],
    ["immediate", "readers at once"],
  ],
  queue: [
    ["positions", "positions can be set"],
    ["stop", "product stops one consumer"],
    ["exactCounts", "exact counts and positions"],
  ],
  cache: [
    ["purgeNamespace", "purges a namespace"],
    ["list", "lists keys"],
    ["immediate", "purged at once"],
  ],
};

const TITLES = { index: "Indexes", queue: "Queues", cache: "Caches" } as const;

const cell = (value: boolean | string | undefined) =>
  value === undefined ? "?" : typeof value === "string" ? value : value ? "yes" : "no";

function row({ port, product, against, with: what, can, passed, waived }: Result): string {
  const all = passed.length + Object.keys(waived).length;
  const cells = COLUMNS[port].map(([key]) => cell(can[key]));
  const name = `[${product}](../src/drivers/${port}/${product}/README.md)`;
  const ran = against === "real" ? `real: ${what}` : `**fake**: ${what}`;
  return `| ${[name, ran, `${passed.length} of ${all}`, ...cells].join(" | ")} |`;
}

function section(port: RunOf["port"], results: readonly Result[]): string {
  const of = results.filter((one) => one.port === port);
  const head = ["driver", "run against", "laws kept", ...COLUMNS[port].map(([, title]) => title)];
  const waivers = of.flatMap(({ product, waived }) =>
    Object.entries(waived).map(([law, why]) => `- ${product}: *${law}*. ${why}.`),
  );
  return [
    `## ${TITLES[port]}`,
    "",
    `| ${head.join(" | ")} |`,
    `|${" --- |".repeat(head.length)}`,
    ...of.map(row),
    ...(waivers.length === 0 ? [] : ["", "Laws that a product cannot keep:", "", ...waivers]),
    "",
  ].join("\n");
}

/** The page of drivers, made of what their suites came to. */
export function driversPage(results: readonly Result[]): string {
  const sorted = [...results].sort((a, b) => (a.product < b.product ? -1 : 1));
  return `# Drivers of what is cut over

Made of the results of the conformance suites (\`test/conformance/results\`): each driver's own test fails when its result
is not what just ran, and \`test/conformance/page.test.ts\` when this page is not what the results say. *Real* is a server of
the product, started by the test. A **fake** answers by the product's documentation: it shows that the driver asks as
documented, not that the product behaves as documented.

${section("index", sorted)}
${section("queue", sorted)}
${section("cache", sorted)}`
    .trimEnd()
    .concat("\n");
}
