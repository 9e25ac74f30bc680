import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chunkSchema } from "./chunker.ts";
import { readIndexFile, writeIndexFile } from "./index-file.ts";
import { buildIndex, planIndex } from "./lab-index.ts";

const built = (text: string) => {
  const sections = [{ doc: "d", section: "d#s", text }];
  return buildIndex(
    planIndex(sections, { name: "main", metric: "cosine", chunk: chunkSchema(4) }),
    "2026-01-01T00:00:00Z",
  );
};

describe("index file", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lab-index-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("reads back what was written, whatever the length of the text does to the alignment", async () => {
    for (const text of [
      "a brown fox",
      "a brown foxy",
      "a brown foxes",
      "ein größerer Fuchs läuft sehr schnell davon 😀",
    ]) {
      const [path, index] = [join(folder, "deep/main.index"), built(text)];
      await writeIndexFile(path, index);
      expect(await readIndexFile(path)).toEqual(index);
    }
    expect(await readdir(join(folder, "deep"))).toEqual(["main.index"]);
  });

  it("is null when there is no file", async () => {
    expect(await readIndexFile(join(folder, "none.index"))).toBeNull();
  });

  it("refuses a file cut at any place", async () => {
    const path = join(folder, "main.index");
    await writeIndexFile(path, built("one two three four five six"));
    const whole = await readFile(path);
    for (const length of [0, 5, 40, 76, 100, whole.length >> 1, whole.length - 4, whole.length - 1]) {
      await writeFile(path, whole.subarray(0, length));
      await expect(readIndexFile(path), `${length} bytes`).rejects.toMatchObject({
        code: "index",
        message: expect.stringContaining("delete it"),
      });
    }
  });

  it("refuses a file with one bit changed in header, description or vectors", async () => {
    const path = join(folder, "main.index");
    await writeIndexFile(path, built("one two three four five six"));
    const whole = await readFile(path);
    for (const place of [0, 9, 20, 90, whole.length - 3]) {
      const altered = Buffer.from(whole);
      altered[place] = altered[place]! ^ 1;
      await writeFile(path, altered);
      await expect(readIndexFile(path), `byte ${place}`).rejects.toThrow(/cannot be served/);
    }
  });

  it("refuses another kind of file by saying what it expected", async () => {
    await writeFile(join(folder, "main.index"), "x".repeat(500));
    await expect(readIndexFile(join(folder, "main.index"))).rejects.toThrow(
      /does not begin with SLUICEX1; expected an index file/,
    );
  });

  it("leaves no temporary file when writing fails", async () => {
    await writeIndexFile(join(folder, "a.index"), built("one two"));
    await expect(writeIndexFile(join(folder, "a.index", "b.index"), built("one two"))).rejects.toThrow();
    expect(await readdir(folder)).toEqual(["a.index"]);
  });
});
