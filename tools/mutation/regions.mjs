import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const vitest = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"));
/** The parser that vitest brings. */
const { parseSync } = await import(pathToFileURL(vitest.resolve("vite")).href);
const MAP = "tools/mutation/regions.json";

/**
 * The lines that implement a requirement, as `{file, line}`: of every declaration whose own comment names the ID
 * (`@source … GQ-29`, `(RT-8)`) or, where `regions.json` names some as `file#name`, those and no others: a gate's
 * comment stands at its table of texts, and its rule is elsewhere. A name is a top-level declaration or `Class.method`;
 * `~word` takes only its lines with the word. Nothing is measured: who writes a proof says what it proves, and a mutant
 * there that no test with the ID notices is a gap in one of the two.
 */
export function linesOf(id) {
  const named = JSON.parse(readFileSync(MAP, "utf8"))[id] ?? [];
  const pointed = named.flatMap((place) => {
    const [, file, name, word = ""] = /^(.*?)#(.*?)(?:~(.*))?$/.exec(place) ?? [];
    const whole = declarationsIn(file).filter((one) => one.name === name);
    const found = whole.flatMap((one) => linesWith(one, word));
    if (found.length === 0) throw new Error(`${MAP}: ${id} names ${place}, and nothing is there`);
    return found;
  });
  const commented = (pointed.length > 0 ? [] : sources()).flatMap((file) =>
    readFileSync(file, "utf8").includes(id) ? declarationsIn(file).filter(({ comment }) => names(comment, id)) : [],
  );
  const lines = new Map();
  for (const { file, from, to } of [...pointed, ...commented]) {
    for (let line = from; line <= to; line++) lines.set(`${file}:${line}`, { file, line });
  }
  return [...lines.values()];
}

/** The lines of a declaration that have a word, each by itself; all of them for an empty one. */
function linesWith({ file, from, to }, word) {
  const text = readFileSync(file, "utf8").split("\n");
  const lines = Array.from({ length: to - from + 1 }, (_, at) => from + at);
  return lines.filter((line) => text[line - 1].includes(word)).map((line) => ({ file, from: line, to: line }));
}

const names = (text, id) => new RegExp(`\\b${id}\\b`).test(text);

function sources() {
  const all = execFileSync("git", ["ls-files", "src"], { encoding: "utf8" }).split("\n");
  // Numbers of presets are data: they carry no ID.
  return all.filter(
    (path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !path.startsWith("src/spec/preset/"),
  );
}

/** Functions, constants, classes' members: what can be broken. Types cannot. */
function declarationsIn(file) {
  const text = readFileSync(file, "utf8");
  const lineOf = (at) => text.slice(0, at).split("\n").length;
  const found = [];
  const add = (name, node, comment) =>
    found.push({ file, name, comment, from: lineOf(node.start), to: lineOf(node.end) });
  let before = 0;
  for (const statement of parseSync(file, text).program.body) {
    const comment = text.slice(before, statement.start);
    before = statement.end;
    const node = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (node?.type === "FunctionDeclaration") add(node.id.name, node, comment);
    if (node?.type === "VariableDeclaration") for (const one of node.declarations) add(one.id.name, one, comment);
    if (node?.type !== "ClassDeclaration") continue;
    add(node.id.name, node, comment);
    let memberBefore = node.body.start;
    for (const member of node.body.body) {
      const above = text.slice(memberBefore, member.start);
      memberBefore = member.end;
      if (member.type !== "MethodDefinition") continue;
      const key = text.slice(member.key.start, member.key.end);
      add(`${node.id.name}.${key}`, member, above);
    }
  }
  return found;
}
