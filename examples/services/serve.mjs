// Serves one fake service on a free port of 127.0.0.1: checks credentials, waits as a model would, answers.
import { createServer } from "node:http";

const MODEL_MS = [20, 60];

/** @returns its origin and how to end it */
export async function serve(service, secret) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://127.0.0.1");
    const text = await readText(request);
    const send = ({ status = 200, headers = {}, json, text: plain }) => {
      const type = json === undefined ? {} : { "content-type": "application/json" };
      response.writeHead(status, { ...type, ...headers });
      response.end(json === undefined ? plain : JSON.stringify(json));
    };
    if (service.oauth !== undefined && url.pathname === service.oauth.path)
      return send(token(service, secret, request));
    const wanted = Object.entries(service.credentials(secret));
    if (wanted.some(([name, value]) => request.headers[name] !== value)) {
      return send({ status: 401, json: { error: "credentials are missing or wrong" } });
    }
    if (url.pathname === service.health?.path) return send({ json: service.health.json });
    if (url.pathname !== service.path) return send({ status: 404, json: { error: `nothing at ${url.pathname}` } });
    const [least, most] = MODEL_MS;
    await new Promise((resolve) => setTimeout(resolve, least + Math.random() * (most - least)));
    send(service.answer({ body: text === "" ? null : JSON.parse(text), query: url.searchParams }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readText(request) {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** Client credentials. @source RFC 6749 §4.4, §2.3.1 */
function token({ oauth }, secret, request) {
  const pair = Buffer.from((request.headers.authorization ?? "").replace("Basic ", ""), "base64").toString("utf8");
  if (decodeURIComponent(pair) !== `${oauth.clientId}:${secret}`)
    return { status: 401, json: { error: "invalid_client" } };
  return { json: { access_token: `token-of-${secret}`, token_type: "Bearer", expires_in: 300 } };
}
