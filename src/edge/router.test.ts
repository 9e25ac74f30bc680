import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { aDocument } from "../../test/documents.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import { bp } from "../core/unit.ts";
import { createRouter, type RoutedRequest, type RouterOptions } from "./router.ts";

/** An origin inside the test: remembers requests and answers 200. */
function anOrigin(answer: (request: Request) => Response | Promise<Response> = () => new Response("ok")) {
  const requests: Request[] = [];
  const fetch = async (request: Request) => {
    requests.push(request);
    return answer(request);
  };
  return { requests, fetch };
}

const ask = (headers: HeadersInit = {}, path = "/answer?k=10") =>
  new Request(`https://rag.example.org${path}`, { headers });
const allToCandidate = aDocument({ candidateBp: bp(10_000) });
const only = async (origin: { requests: Request[] }): Promise<Request> => {
  expect(origin.requests).toHaveLength(1);
  return origin.requests[0] as Request;
};
const routerOn = (document: RoutingDocument, over: Partial<RouterOptions> = {}) => {
  const origin = anOrigin();
  return { origin, router: createRouter({ document, keys: "accept-unsigned", fetch: origin.fetch, ...over }) };
};

describe("createRouter", () => {
  it("sends a unit to its arm's endpoint with path and query, and says so both ways (RT-5)", async () => {
    const { origin, router } = routerOn(allToCandidate);
    const response = await router.handle(ask({ "x-user-id": "user-1" }));
    const sent = await only(origin);
    expect(sent.url).toBe("http://127.0.0.1:4002/answer?k=10");
    expect([sent.headers.get("x-exp"), sent.headers.get("x-cache-namespace")]).toEqual(["candidate", "b2:"]);
    expect(sent.headers.has("x-edge-ctx")).toBe(false); // Nothing is signed without a key.
    const labels = ["x-sluice-arm", "x-sluice-doc", "x-sluice-split"].map((name) => response.headers.get(name));
    expect(labels).toEqual(["candidate", "1.0", "10000"]);
    expect(await response.text()).toBe("ok");
  });

  it("serves requests without a trusted unit by stable", async () => {
    const { origin, router } = routerOn(allToCandidate);
    for (const headers of [{}, { "x-user-id": "" }, { "x-session": "s-1" }, { "x-user-id": "\xff" }]) {
      expect((await router.handle(ask(headers))).headers.get("x-sluice-arm")).toBe("stable");
    }
    expect(origin.requests.every(({ url }) => url.startsWith("http://127.0.0.1:4001/"))).toBe(true);
  });

  it("RT-4, TP-2: honours x-exp of allow-listed units only, and always sets it outbound", async () => {
    const { origin, router } = routerOn(aDocument({ candidateBp: bp(0), allow: ["tester"] }));
    for (const wish of ["candidate", "green", "stable", "blue"]) {
      await router.handle(ask({ "x-user-id": "tester", "x-exp": wish }));
    }
    await router.handle(ask({ "x-user-id": "tester" }));
    await router.handle(ask({ "x-user-id": "user-1", "x-exp": "green" }));
    const told = origin.requests.map((request) => request.headers.get("x-exp"));
    expect(told).toEqual(["candidate", "candidate", "stable", "stable", "stable", "stable"]);
  });

  it("S1: no client header changes an arm or reaches the origin under an internal name", async () => {
    const { origin, router } = routerOn(aDocument({ candidateBp: bp(0), allow: ["tester"] }));
    const names = [
      "x-exp",
      "X-EXP",
      "x_exp",
      "x-release",
      "X-Canary",
      "x-release-pin",
      "x-edge-ctx",
      "x-sluice-arm",
      "X_SLUICE_DOC",
      "x-warm",
      "schema_rev",
      "x-cache-namespace",
    ];
    const header = fc.tuple(
      fc.constantFrom(...names),
      fc.constantFrom("candidate", "green", "true", "v1.e30.x", "b2:"),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(header, { maxLength: 6 }), async (spoofed) => {
        origin.requests.length = 0;
        const response = await router.handle(
          ask([["x-user-id", "user-1"], ["connection", "x-exp, x-cache-namespace"], ...spoofed]),
        );
        const sent = await only(origin);
        expect(response.headers.get("x-sluice-arm")).toBe("stable");
        expect([...sent.headers].filter(([name]) => /^(x[-_](?!user)|schema|index)/.test(name))).toEqual([
          ["x-cache-namespace", "a1:"],
          ["x-exp", "stable"],
        ]);
      }),
      { numRuns: 500 },
    );
  });

  describe("schema lock", () => {
    const serves = (min: string, max: string) => ({ schemaRev: { min, max }, indexHash: null, modelTag: null });
    const { stable, candidate } = aDocument().arms;
    const arms = {
      stable: { ...stable, serves: serves("sc-10", "sc-12") },
      candidate: { ...candidate!, serves: serves("sc-12", "sc-14") },
    };
    const identity = { trustedHeaders: ["x-user-id", "X-Schema-Rev", "x-index-hash"], stickyBy: ["x-user-id"] };
    const locked = aDocument({ arms, identity, candidateBp: bp(0) });

    it("SL-3: a trusted pin selects the matching arm at weight 0 and is handed on, whatever Connection lists", async () => {
      const routed: RoutedRequest[] = [];
      const { origin, router } = routerOn(locked, { onRouted: (one) => routed.push(one) });
      await router.handle(ask({ "x-user-id": "u", "x-schema-rev": "sc-14", connection: "x-schema-rev" }));
      const sent = await only(origin);
      expect(sent.url).toContain(":4002/");
      expect(["x-schema-rev", "x-index-hash"].map((name) => sent.headers.get(name))).toEqual(["sc-14", null]);
      expect(routed).toMatchObject([{ kind: "answered", route: { arm: "candidate", reason: "schema-lock" } }]);
    });

    it("SL-2: answers what no arm serves itself, and asks no origin", async () => {
      const routed: RoutedRequest[] = [];
      const { origin, router } = routerOn(locked, { onRouted: (one) => routed.push(one) });
      const response = await router.handle(ask({ "x-schema-rev": "sc-9" }));
      const names = ["content-type", "cache-control", "retry-after", "x-sluice-arm", "x-sluice-doc"];
      expect(names.map((name) => response.headers.get(name))).toEqual([
        "application/problem+json",
        "no-store",
        null,
        null,
        "1.0",
      ]);
      expect([response.status, await response.json()]).toMatchObject([
        409,
        {
          type: "urn:sluice:problem:no-matching-revision",
          differences: [
            { arm: "stable", wanted: "sc-9", serves: { min: "sc-10", max: "sc-12" } },
            { arm: "candidate", wanted: "sc-9", serves: { min: "sc-12", max: "sc-14" } },
          ],
          retry: { action: "route-to-match", pins: { schemaRev: "sc-9" } },
        },
      ]);
      expect(origin.requests).toEqual([]);
      expect(routed).toMatchObject([{ kind: "refused", status: 409, route: { arm: null } }]);
    });

    it("answers 400 to two different copies of a pin", async () => {
      const { router } = routerOn(locked);
      const twice: [string, string][] = [
        ["x-schema-rev", "sc-12"],
        ["X-Schema-Rev", "sc-14"],
      ];
      expect((await router.handle(ask(twice))).status).toBe(400);
    });

    it("S1: a pin whose header the document does not trust neither routes nor arrives", async () => {
      const { origin, router } = routerOn(aDocument({ arms, candidateBp: bp(0) }));
      await router.handle(ask({ "x-schema-rev": "sc-14", "x-index-hash": "41cc", "x-model-tag": "m" }));
      const sent = await only(origin);
      expect(sent.url).toContain(":4001/");
      expect([...sent.headers.keys()].filter((name) => /schema|index|model/.test(name))).toEqual([]);
    });
  });

  it("drops hop-by-hop fields in both directions and keeps the others", async () => {
    const headers = {
      connection: "x-hop",
      "x-hop": "1",
      te: "trailers",
      "x-user-id": "user-1",
      authorization: "Bearer t",
    };
    const origin = anOrigin(
      () => new Response("ok", { headers: { connection: "x-back", "x-back": "1", etag: '"1"' } }),
    );
    const response = await createRouter({ document: aDocument(), fetch: origin.fetch }).handle(ask(headers));
    const sent = await only(origin);
    expect(["connection", "x-hop", "te", "authorization"].map((name) => sent.headers.get(name))).toEqual([
      null,
      null,
      null,
      "Bearer t",
    ]);
    expect(["connection", "x-back", "etag"].map((name) => response.headers.get(name))).toEqual([null, null, '"1"']);
  });

  it("passes status, redirects and several cookies through", async () => {
    const answer = new Response(null, {
      status: 303,
      headers: [
        ["location", "/next"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ],
    });
    const response = await createRouter({ document: aDocument(), fetch: async () => answer }).handle(ask());
    expect([response.status, response.headers.get("location"), response.headers.getSetCookie()]).toEqual([
      303,
      "/next",
      ["a=1", "b=2"],
    ]);
  });

  it("answers 502 by itself when the origin cannot be reached, and reports it as unreachable", async () => {
    const routed: RoutedRequest[] = [];
    const refuse = async () => {
      throw new TypeError("fetch failed");
    };
    const router = createRouter({ document: aDocument(), fetch: refuse, onRouted: (request) => routed.push(request) });
    const response = await router.handle(ask());
    expect([response.status, response.headers.get("x-sluice-arm")]).toEqual([502, "stable"]);
    expect(await response.json()).toMatchObject({ status: 502, title: "Bad Gateway" });
    expect(routed).toMatchObject([{ kind: "unreachable", status: 502, route: { reason: "no-unit" } }]);
  });

  it("passes an origin's own 503 through as answered", async () => {
    const routed: RoutedRequest[] = [];
    const origin = anOrigin(() => new Response("busy", { status: 503 }));
    const router = createRouter({
      document: aDocument(),
      fetch: origin.fetch,
      onRouted: (request) => routed.push(request),
    });
    expect((await router.handle(ask())).status).toBe(503);
    expect(routed).toMatchObject([{ kind: "answered", status: 503 }]);
  });

  it("takes an identify that rejects or throws for nobody", async () => {
    const thrower = () => {
      throw new Error("bad signature");
    };
    for (const identify of [thrower, async () => thrower()]) {
      const { router } = routerOn(allToCandidate, { identify });
      expect((await router.handle(ask({ "x-user-id": "user-1" }))).headers.get("x-sluice-arm")).toBe("stable");
    }
  });

  it("follows a pin that identify verified", async () => {
    const identify = async () =>
      ({ unit: null, pin: { arm: "candidate", purpose: "probe" }, requestedArm: null }) as const;
    const { router } = routerOn(aDocument({ candidateBp: bp(0) }), { identify });
    expect((await router.handle(ask())).headers.get("x-sluice-arm")).toBe("candidate");
  });

  it("spreads requests over the endpoints of an arm", async () => {
    const stable = { ...aDocument().arms.stable, endpoints: ["http://127.0.0.1:1", "http://127.0.0.1:2/base/"] };
    const { origin, router } = routerOn(aDocument({ arms: { stable, candidate: null }, candidateBp: bp(0) }));
    for (let i = 0; i < 4; i++) await router.handle(ask({}, "//evil.example/x"));
    const urls = origin.requests.map(({ url }) => url);
    expect(urls.filter((url) => url === "http://127.0.0.1:1//evil.example/x")).toHaveLength(2);
    expect(urls.filter((url) => url === "http://127.0.0.1:2/base//evil.example/x")).toHaveLength(2);
  });

  it("throws a TypeError that names the problem when the first document is not admissible", () => {
    expect(() => createRouter({ document: aDocument({ closed: ["candidate"] }) })).toThrow(/candidateBp: found 1000/);
  });
});

describe("updateDocument", () => {
  it("applies to the next request, also to one that is still being identified", async () => {
    const { origin, router } = routerOn(allToCandidate, {
      identify: async () => {
        await router.updateDocument(JSON.stringify(aDocument({ epoch: 2, candidateBp: bp(0), closed: ["candidate"] })));
        return { unit: "user-1", pin: null, requestedArm: null };
      },
    });
    const response = await router.handle(ask());
    expect([response.headers.get("x-sluice-arm"), response.headers.get("x-sluice-doc")]).toEqual(["stable", "2.0"]);
    expect(origin.requests).toHaveLength(1);
  });

  it("I21: keeps the last good document when a bad, older or foreign one arrives", async () => {
    const { router } = routerOn(aDocument({ epoch: 5 }));
    const texts = [
      "",
      "{}",
      JSON.stringify(aDocument({ epoch: 4 })),
      JSON.stringify(aDocument({ epoch: 6, service: "billing" })),
    ];
    const said = await Promise.all(texts.map(async (text) => (await router.updateDocument(text)).kind));
    expect(said).toEqual(["refuse", "refuse", "keep", "refuse"]);
    expect(router.document()).toEqual(aDocument({ epoch: 5 }));
    expect((await router.updateDocument(JSON.stringify(aDocument({ epoch: 6 })))).kind).toBe("adopt");
    expect(router.document().epoch).toBe(6);
  });
});

describe("on Node, with the platform's fetch and real servers", () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function routerBefore(handler: (request: IncomingMessage, response: ServerResponse) => void) {
    const server = createServer(handler);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const stable = { ...aDocument().arms.stable, endpoints: [endpoint] };
    return createRouter({ document: aDocument({ arms: { stable, candidate: null }, candidateBp: bp(0) }) });
  }

  it("streams a request body that is produced piece by piece", async () => {
    const router = await routerBefore((request, response) => void request.pipe(response));
    const pieces = ["one ", "two ", "three"];
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(piece));
      },
    });
    const init: RequestInit & { duplex: "half" } = { method: "POST", body, duplex: "half" };
    const response = await router.handle(new Request("https://rag.example.org/answer", init));
    expect(await response.text()).toBe("one two three");
  });

  it("hands on the first bytes of an answer before the last ones exist", async () => {
    let finish = () => {};
    const router = await routerBefore((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
      finish = () => response.end("data: 2\n\n");
    });
    const reader = (await router.handle(ask({ accept: "text/event-stream" }))).body?.getReader();
    const first = await reader?.read();
    expect(new TextDecoder().decode(first?.value)).toBe("data: 1\n\n");
    finish();
    const second = await reader?.read();
    expect(new TextDecoder().decode(second?.value)).toBe("data: 2\n\n");
  });

  it("hands a redirect to the client instead of following it", async () => {
    const router = await routerBefore((_request, response) => response.writeHead(302, { location: "/else" }).end());
    const response = await router.handle(ask());
    expect([response.status, response.headers.get("location")]).toEqual([302, "/else"]);
  });

  it("does not describe a decoded body as compressed when an origin compresses unasked", async () => {
    let asked: string | undefined;
    const router = await routerBefore((request, response) => {
      asked = request.headers["accept-encoding"] as string | undefined;
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end(gzipSync("plain text"));
    });
    const response = await router.handle(ask({ "accept-encoding": "gzip, br" }));
    expect([asked, response.headers.get("content-encoding"), await response.text()]).toEqual([
      "identity",
      null,
      "plain text",
    ]);
  });

  it("cancels the origin's request when the client goes away, and rejects", async () => {
    const client = new AbortController();
    let wasCut = () => {};
    const cut = new Promise<void>((resolve) => {
      wasCut = resolve;
    });
    const router = await routerBefore((request) => {
      request.on("close", wasCut);
      client.abort();
    });
    const handled = router.handle(new Request("https://rag.example.org/answer", { signal: client.signal }));
    await expect(handled).rejects.toThrow(/abort/);
    await cut;
    expect(client.signal.aborted).toBe(true);
  });

  it("answers 502 when nobody listens", async () => {
    const router = await routerBefore(() => {});
    servers[0]?.close();
    expect((await router.handle(ask())).status).toBe(502);
  });
});
