import { beforeEach } from "vitest";

/** Where Stryker keeps which mutant is on; processes that a test starts read it from their environment. */
interface Instrumented {
  readonly __stryker__?: { readonly activeMutant?: string };
}

const id = new RegExp(`\\b${process.env["MUTATION_ID"] ?? "no-id"}\\b`);

/** Only tests that carry the ID count as its proof; every other one of their files is left out. */
beforeEach(({ task, skip }) => {
  if (!id.test(fullName(task))) skip();
  const { activeMutant } = (globalThis as Instrumented).__stryker__ ?? {};
  if (activeMutant === undefined) delete process.env["__STRYKER_ACTIVE_MUTANT__"];
  else process.env["__STRYKER_ACTIVE_MUTANT__"] = activeMutant;
});

interface Named {
  readonly name: string;
  readonly suite?: Named | undefined;
}

function fullName({ name, suite }: Named): string {
  return suite === undefined ? name : `${fullName(suite)} ${name}`;
}
