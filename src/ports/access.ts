/**
 * How we get into somebody else's service: with which credentials and over which connection. Secrets are resolved at
 * the last moment and never leave in a text.
 */
export interface Access {
  /** Sends a request with the credentials. Rejects with DriverError when a secret cannot be had. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Names of the headers it adds, for people. */
  readonly headerNames: readonly string[];
  /** Takes every secret out of a text, such as an answer that repeats what it was sent. */
  redact(text: string): string;
}
