import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const files = (process.env["MUTATION_TESTS"] ?? "none").split(",");

/** Tests beside the sources first: a mutant that one of them notices needs no other. */
class InTheirOrder extends BaseSequencer {
  override sort(found: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => files.findIndex((file) => moduleId.endsWith(`/${file}`));
    return Promise.resolve(found.toSorted((a, b) => place(a) - place(b)));
  }
}

/** The tests that carry one requirement's ID, and of their files nothing else. */
export default defineConfig({
  test: {
    include: files,
    setupFiles: ["tools/mutation/only-id.setup.ts"],
    sequence: { sequencer: InTheirOrder },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
