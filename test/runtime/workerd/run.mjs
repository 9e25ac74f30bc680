// Runs the fence's conformance suite and crash matrix inside workerd, against a real Durable Object with its storage.
//   npm ci && npm test            2 000 deliveries
//   EVENTS=4000 npm test          20 000 deliveries
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { rolldown } from "rolldown"; // The bundler that the root's test runner brings.

const events = Number(process.env.EVENTS ?? 400);

const input = fileURLToPath(new URL("worker.ts", import.meta.url));
const bundle = await rolldown({ input, platform: "browser" });
const { output } = await bundle.generate({ format: "esm" });
assert.deepEqual(output[0].imports, [], "the worker imports nothing from outside, no node: module either");

const miniflare = new Miniflare({
  modules: true,
  script: output[0].code,
  compatibilityDate: "2025-06-01",
  durableObjects: { FENCE: { className: "FenceObject", useSQLite: true } },
});
try {
  const get = (path) => miniflare.dispatchFetch(`http://127.0.0.1${path}`);
  const names = await (await get("/")).json();
  let failures = 0;
  for (const [index, name] of names.entries()) {
    const answer = await get(`/case/${index}`);
    const text = await answer.text();
    if (answer.status !== 200) failures++;
    console.log(answer.status === 200 ? `passed  ${name}` : `FAILED  ${name}\n${text}`);
  }
  const crash = await get(`/crash?events=${events}`);
  const report = crash.status === 200 ? await crash.json() : assert.fail(await crash.text());
  console.log(JSON.stringify(report));
  const { deliveries, duplicates, lost, doubleCommits } = report;
  assert.deepEqual(
    { deliveries, duplicates, lost, doubleCommits },
    { deliveries: events * 5, duplicates: 0, lost: 0, doubleCommits: 0 },
  );
  assert.equal(failures, 0, `${failures} of ${names.length} cases failed in workerd`);
  console.log(`workerd: ${names.length} cases passed, ${deliveries} deliveries, 0 duplicates, 0 lost`);
} finally {
  await miniflare.dispose();
}
