/** A text that may name secrets as `${NAME}` of the controller's environment, or the file that holds one. */
export type SecretPlan = { readonly text: string } | { readonly file: string };

/** What stands in the Authorization header. */
export type AuthorizationPlan =
  | { readonly kind: "bearer"; readonly token: SecretPlan }
  | { readonly kind: "basic"; readonly user: string; readonly password: SecretPlan }
  | {
      /** Client credentials. @source RFC 6749 §4.4 */
      readonly kind: "oauth";
      readonly tokenUrl: string;
      readonly clientId: string;
      readonly clientSecret: SecretPlan;
      readonly scope: string | null;
      readonly audience: string | null;
    };

/**
 * How we get into a service: names of secrets, never the secrets, so that a plan may be kept in a journal and shown.
 */
export interface AccessPlan {
  readonly headers: Readonly<Record<string, SecretPlan>>;
  readonly authorization: AuthorizationPlan | null;
  /** PEM files on the controller's machine: whom to trust, and the client certificate with its key. */
  readonly tls: { readonly ca: string | null; readonly cert: string | null; readonly key: string | null } | null;
}

/** Every secret an access names. */
export function secretsOf({ headers, authorization }: AccessPlan): readonly SecretPlan[] {
  switch (authorization?.kind) {
    case undefined:
      return Object.values(headers);
    case "bearer":
      return [...Object.values(headers), authorization.token];
    case "basic":
      return [...Object.values(headers), authorization.password];
    case "oauth":
      return [...Object.values(headers), authorization.clientSecret];
  }
}
