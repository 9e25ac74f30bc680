/** Names that a machine gives itself. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|0\.0\.0\.0|\[::\])$/;

/** Host and port that an address leads to; all names of this machine are one. */
function place(host: string, port: string): string {
  return `${LOOPBACK.test(host) ? "this machine" : host}:${port}`;
}

function placeOfUrl(text: string): string {
  const { hostname, port, protocol } = new URL(text);
  return place(hostname.toLowerCase(), port === "" ? (protocol === "https:" ? "443" : "80") : port);
}

/** True when a gateway that listens there would forward an arm's requests to itself. */
export function isOwnAddress(listen: string, url: string): boolean {
  const colon = listen.lastIndexOf(":");
  const port = listen.slice(colon + 1);
  return port !== "0" && place(listen.slice(0, colon).toLowerCase(), port) === placeOfUrl(url);
}
