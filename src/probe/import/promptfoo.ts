import { z } from "zod";
import type { Problem } from "../../core/problem.ts";
import { type Path, parseSource, pathText, type Source, sourceAt } from "../../spec/source.ts";
import { withoutMark } from "../../spec/document-text.ts";
import type { CorpusSection } from "../corpus.ts";
import { checkShape } from "../shape-problems.ts";
import { finishImport, IMPORT_CODES, type Imported, type ImportedRow } from "./imported.ts";
import { assertionShape, readAssertions } from "./promptfoo-assert.ts";
import type { TableRows } from "./csv-rows.ts";
import { isTestTable, readTestTable } from "./promptfoo-table.ts";
import { isJsonLines, readJsonLines } from "./row-source.ts";
import { goldOfTest, metadataShape } from "./promptfoo-gold.ts";
import { findSections, type SectionFinder } from "./section-finder.ts";

const CODES = IMPORT_CODES;

/** Variables that hold the question, the first one that a test has. */
const QUESTION_VARS = ["question", "query", "prompt", "input", "message"] as const;

const variables = z.record(z.string(), z.unknown());
const testShape = z.object({
  description: z.string().optional(),
  vars: variables.optional(),
  assert: z.array(assertionShape).optional(),
  metadata: metadataShape.optional(),
  threshold: z.number().optional(),
  options: z.object({ disableVarExpansion: z.boolean().optional() }).optional(),
});

type Test = z.infer<typeof testShape>;

interface PromptfooOptions {
  readonly corpus: readonly CorpusSection[] | null;
  /** Topic of tests whose metadata names none. */
  readonly topic: string;
}

/**
 * Tests of a promptfoo config (YAML or JSON; the whole config, or its list of tests alone) as a gold set. A list in the
 * question's variable is its phrasings. Gold comes from `metadata` (`gold`, `doc` with `section`, or `sections` by id)
 * or from `vars.context` where a corpus holds that text; `is-refusal` makes a question one to be refused; expected
 * texts become claims. What stands in other files (`file://`) is not followed and reported.
 * @source https://www.promptfoo.dev/docs/configuration/test-cases: vars, assert, metadata, defaultTest
 */
export function importPromptfoo(text: string, options: PromptfooOptions): Imported {
  const rows = isJsonLines(withoutMark(text)) ? readJsonLines(text) : isTestTable(text) ? readTestTable(text) : null;
  if (rows !== null) return importTests(rows, options);
  const source = parseSource(text);
  if (!("value" in source)) {
    const unreadable = source.map((problem) => ({ ...problem, code: CODES.unreadable }));
    return finishImport([], unreadable, []);
  }
  const listed = listTests(source);
  if ("code" in listed) return finishImport([], [listed], []);
  const { defaults, problems } = readDefaults(source);
  const { corpus, topic } = options;
  const context = { defaults, sections: findSections(corpus), topic };
  const read = listed.paths.map((path, index) => {
    return readTest({ mine: sourceAt(source, path), path: pathText(path) }, index, context);
  });
  return finishTests(read, problems, scenarios(source));
}

/** Tests of a table or of JSON lines, which have no defaults. */
function importTests({ rows, problems }: TableRows, { corpus, topic }: PromptfooOptions): Imported {
  const context = { defaults: {}, sections: findSections(corpus), topic };
  const read = rows.map((mine, index) => readTest({ mine, path: `line ${mine.locate([]).line}` }, index, context));
  return finishTests(read, problems, []);
}

function finishTests(read: readonly ReadTest[], problems: readonly Problem[], warnings: readonly Problem[]): Imported {
  const rows = read.flatMap((one) => ("row" in one ? [one.row] : []));
  const left = read.flatMap((one) => ("row" in one ? [] : one.problems));
  const told = read.flatMap((one) => ("row" in one ? one.warnings : []));
  return finishImport(rows, [...problems, ...left], [...told, ...warnings]);
}

function listTests(source: Source): { readonly paths: readonly Path[] } | Problem {
  const value = source.value as { readonly tests?: unknown } | readonly unknown[] | null;
  const tests = Array.isArray(value) ? value : (value as { readonly tests?: unknown } | null)?.tests;
  const base: Path = Array.isArray(value) ? [] : ["tests"];
  if (Array.isArray(tests) && tests.length > 0) return { paths: tests.map((_, index) => [...base, index]) };
  const isElsewhere = typeof tests === "string";
  const found = isElsewhere ? `the tests stand in ${tests}` : "found no list of tests";
  const message = `${found}; expected tests: [{vars, assert, metadata}] or that list alone`;
  const fix = isElsewhere ? { fix: "give that file if it is YAML or JSON" } : {};
  return { code: isElsewhere ? CODES.leftOut : CODES.missing, path: "tests", at: source.locate(base), message, ...fix };
}

/** What every test has besides its own. */
function readDefaults(source: Source): { readonly defaults: Test; readonly problems: readonly Problem[] } {
  const value = (source.value as { readonly defaultTest?: unknown } | null)?.defaultTest;
  if (value === undefined || Array.isArray(source.value)) return { defaults: {}, problems: [] };
  if (typeof value === "string") {
    const message = `the default test stands in ${value}, which is not read: its vars and metadata are missing`;
    const at = source.locate(["defaultTest"]);
    return { defaults: {}, problems: [{ code: CODES.leftOut, path: "defaultTest", at, message }] };
  }
  const checked = checkShape(testShape, sourceAt(source, ["defaultTest"]), CODES);
  return "value" in checked
    ? { defaults: checked.value, problems: [] }
    : { defaults: {}, problems: checked.map((problem) => below(["defaultTest"], problem)) };
}

interface Context {
  readonly defaults: Test;
  readonly sections: SectionFinder;
  readonly topic: string;
}

type ReadTest =
  | { readonly row: ImportedRow; readonly warnings: readonly Problem[] }
  | { readonly problems: readonly Problem[] };

/** A test and where it stands. */
interface PlacedTest {
  readonly mine: Source;
  readonly path: string;
}

function readTest({ mine, path }: PlacedTest, index: number, { defaults, sections, topic }: Context): ReadTest {
  const refuse = (code: string, message: string, inner: Path = []): ReadTest => {
    const place = [path, pathText(inner)].filter((part) => part !== "").join(".");
    return { problems: [{ code, path: place, at: mine.locate(inner), message }] };
  };
  if (typeof mine.value === "string") return refuse(CODES.leftOut, `the tests of ${mine.value} are not read`);
  const checked = checkShape(testShape, mine, CODES);
  if (!("value" in checked)) return { problems: checked.map((problem) => belowPath(path, problem)) };
  const own = checked.value;
  const vars = { ...defaults.vars, ...own.vars };
  const metadata = { ...defaults.metadata, ...own.metadata };
  const assertions = [...(defaults.assert ?? []), ...(own.assert ?? [])];
  const isExpanded = (own.options ?? defaults.options)?.disableVarExpansion !== true;
  const asked = phrasingsOf(vars, isExpanded);
  if ("reason" in asked)
    return refuse(asked.name === null ? CODES.missing : CODES.type, asked.reason, ["vars", asked.name ?? ""]);
  const given = own.metadata?.id === undefined ? undefined : (mine.spelled(["metadata", "id"]) ?? own.metadata.id);
  const id = given ?? metadata.id ?? `test-${index + 1}`;
  const demanded = readAssertions(assertions, own.threshold ?? defaults.threshold);
  const isRefused = demanded.isRefused || metadata.answerable === false;
  const gold = goldOfTest(vars, metadata, sections);
  if ("reason" in gold) return refuse(CODES.notInCorpus, gold.reason, gold.path);
  if (isRefused && gold.spans.length > 0) return refuse(CODES.value, `${id} is to be refused and names gold sections`);
  if (!isRefused && gold.spans.length === 0) {
    return refuse(
      CODES.noGold,
      `${id} names no gold section; expected metadata.gold, metadata.sections, or vars.context`,
    );
  }
  const item = {
    id,
    topic: metadata.topic ?? metadata.category ?? topic,
    phrasings: asked.phrasings,
    answerable: !isRefused,
    gold: gold.spans,
  };
  const { claims, left } = demanded;
  const at = mine.locate([]);
  const warnings = left.map((message) => ({ code: CODES.leftOut, path, at, message }));
  return { row: { item: claims.length === 0 ? item : { ...item, claims }, path, at }, warnings };
}

type Asked = { readonly phrasings: readonly string[] } | { readonly reason: string; readonly name: string | null };

/** The question in its wordings: promptfoo asks every element of a list, unless that is switched off. */
function phrasingsOf(vars: Readonly<Record<string, unknown>>, isExpanded: boolean): Asked {
  const name = QUESTION_VARS.find((key) => vars[key] !== undefined);
  if (name === undefined) {
    const known = Object.keys(vars).join(", ") || "none";
    return {
      reason: `found the vars ${known}; expected the question as one of ${QUESTION_VARS.join(", ")}`,
      name: null,
    };
  }
  const value = vars[name];
  const texts: readonly unknown[] = Array.isArray(value) && isExpanded ? value : [value];
  const odd = texts.find(
    (text) => typeof text !== "string" || text.trim() === "" || /^file:\/\/|\{\{/.test(text.trim()),
  );
  if (texts.length === 0 || odd !== undefined) {
    return {
      reason: `found ${JSON.stringify(odd ?? value)} as ${name}, expected a text that is asked as it stands`,
      name,
    };
  }
  return { phrasings: [...new Set((texts as readonly string[]).map((text) => text.trim()))] };
}

function scenarios(source: Source): readonly Problem[] {
  if (Array.isArray(source.value) || !("scenarios" in (source.value as object))) return [];
  const at = source.locateKey([], "scenarios");
  return [{ code: CODES.leftOut, path: "scenarios", at, message: "scenarios are not read, only tests are" }];
}

function below(path: Path, problem: Problem): Problem {
  return belowPath(pathText(path), problem);
}

function belowPath(path: string, problem: Problem): Problem {
  return { ...problem, path: [path, problem.path].filter((part) => part !== "").join(".") };
}
