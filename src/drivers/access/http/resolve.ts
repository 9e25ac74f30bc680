import { readFile } from "node:fs/promises";
import { type AccessPlan, type SecretPlan, secretsOf } from "../../../core/stage/access-plan.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { keepSecret } from "../../secrets.ts";

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The text of a secret, read at every use so that a rotated one is taken up without a restart. White space around a
 * file's content is dropped.
 * @param what where it is written, for the message
 * @throws DriverError `unauthorized`: the variable is not set or the file cannot be read; names it, never its value
 */
export async function resolveSecret(plan: SecretPlan, what: string, env: Environment): Promise<string> {
  const value = "file" in plan ? await fromFile(plan.file, what) : fromText(plan.text, what, env);
  if (value === "") throw empty(plan, what);
  if (/^[\x20-\x7e\x80-\uffff]*$/.test(value)) return value;
  const found = "has characters that no header may carry";
  throw new DriverError("unauthorized", "never", `${what} ${found}; expected one line of text`);
}

/** Variables that an access names and the environment does not have, each once; asks nobody and reads no file. */
export function unsetVariables(plan: AccessPlan, env: Environment = process.env): readonly string[] {
  const named = secretsOf(plan).flatMap((secret) => ("text" in secret ? variablesIn(secret.text) : []));
  return [...new Set(named)].filter((name) => env[name] === undefined);
}

function variablesIn(text: string): readonly string[] {
  return [...text.matchAll(VARIABLE)].map(([, name = ""]) => name);
}

/** Names the file or the variables that gave nothing: an empty one is a secret that was never filled in. */
function empty(plan: SecretPlan, what: string): DriverError {
  const names = "file" in plan ? plan.file : variablesIn(plan.text).join(", ");
  const place = names === "" ? "" : ` (${names})`;
  return new DriverError("unauthorized", "never", `${what}${place} is empty; expected one line of text; fill it in`);
}

async function fromFile(path: string, what: string): Promise<string> {
  try {
    const text = (await readFile(path, "utf8")).trim();
    keepSecret(text);
    return text;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const advice = "mount it on the controller's machine, readable by its user";
    throw new DriverError("unauthorized", "never", `${what}: the file ${path} cannot be read (${code}); ${advice}`);
  }
}

function fromText(text: string, what: string, env: Environment): string {
  let isSecret = false;
  const value = text.replace(VARIABLE, (_, name: string) => {
    const found = env[name];
    if (found === undefined) {
      const advice =
        "export it where `sluice serve` is started (for a command that asks by itself, in its shell), and start that again";
      throw new DriverError("unauthorized", "never", `${what}: the variable ${name} is not set; ${advice}`);
    }
    keepSecret(found);
    isSecret = true;
    return found;
  });
  if (isSecret) keepSecret(value);
  return value;
}
