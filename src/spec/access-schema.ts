import { z } from "zod";
import type { AccessPlan, AuthorizationPlan, SecretPlan } from "../core/stage/access-plan.ts";

const path = z.string().startsWith("/", "expected an absolute path on the controller's machine").max(1_024);
const fromFile = z.strictObject({ file: path });
const NAMES_SECRET = /\$\{[A-Za-z_][A-Za-z0-9_]*\}/;
const ADVICE =
  "write ${NAME} for a variable of the environment, a document's of the controller's, or there { file: /run/secrets/NAME }";

/** A secret by its name: a literal one would stand in the document, in its history and in every journal. */
const secret = z.union([
  z
    .string()
    .max(4_096)
    .refine((text) => NAMES_SECRET.test(text), `holds its secret as it is; ${ADVICE}`),
  fromFile,
]);

const SOUNDS_SECRET = /auth|key|token|secret|password|passwd|cookie|session|credential|signature/i;
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "expected an HTTP header name");
/** Headers that the request itself needs. */
const OURS = ["content-type", "content-length", "host", "connection", "transfer-encoding"];

const headers = z.record(headerName, z.union([z.string().max(4_096), fromFile])).superRefine((values, context) => {
  for (const [name, value] of Object.entries(values)) {
    const issue = (message: string) => context.addIssue({ code: "custom", path: [name], message });
    if (OURS.includes(name.toLowerCase())) issue(`header "${name}" belongs to the request itself`);
    if (typeof value !== "string" || NAMES_SECRET.test(value) || !SOUNDS_SECRET.test(name)) continue;
    issue(`header "${name}" holds its secret as it is; ${ADVICE}`);
  }
});

/** How the controller gets into a service. At most one of bearer, basic and oauth: they share one header. */
export const accessSchema = z
  .strictObject({
    headers: headers.optional(),
    bearer: secret.optional(),
    basic: z.strictObject({ user: z.string().min(1).max(256), password: secret }).optional(),
    oauth: z
      .strictObject({
        tokenUrl: z.url({ protocol: /^https?$/ }),
        clientId: z.string().min(1).max(512),
        clientSecret: secret,
        scope: z.string().min(1).max(1_024).optional(),
        audience: z.string().min(1).max(1_024).optional(),
      })
      .optional(),
    tls: z.strictObject({ ca: path.optional(), cert: path.optional(), key: path.optional() }).optional(),
  })
  .superRefine(({ bearer, basic, oauth, tls, headers: plain = {} }, context) => {
    const given = [bearer, basic, oauth].filter((one) => one !== undefined).length;
    const hasHeader = Object.keys(plain).some((name) => name.toLowerCase() === "authorization");
    if (given + Number(hasHeader) > 1) {
      const message = "at most one of bearer, basic, oauth and an authorization header: they are one header";
      context.addIssue({ code: "custom", message });
    }
    if ((tls?.cert === undefined) !== (tls?.key === undefined)) {
      context.addIssue({ code: "custom", path: ["tls"], message: "cert and key belong together" });
    }
  });

type AccessDocument = z.infer<typeof accessSchema>;

function planSecret(value: string | { readonly file: string }): SecretPlan {
  return typeof value === "string" ? { text: value } : { file: value.file };
}

function planAuthorization({ bearer, basic, oauth }: AccessDocument): AuthorizationPlan | null {
  if (bearer !== undefined) return { kind: "bearer", token: planSecret(bearer) };
  if (basic !== undefined) return { kind: "basic", user: basic.user, password: planSecret(basic.password) };
  if (oauth === undefined) return null;
  const { tokenUrl, clientId, clientSecret, scope, audience } = oauth;
  const secretPlan = planSecret(clientSecret);
  return {
    kind: "oauth",
    tokenUrl,
    clientId,
    clientSecret: secretPlan,
    scope: scope ?? null,
    audience: audience ?? null,
  };
}

export function planAccess(access: AccessDocument): AccessPlan {
  const { ca = null, cert = null, key = null } = access.tls ?? {};
  return {
    headers: Object.fromEntries(Object.entries(access.headers ?? {}).map(([name, value]) => [name, planSecret(value)])),
    authorization: planAuthorization(access),
    tls: access.tls === undefined ? null : { ca, cert, key },
  };
}

/** An access from elsewhere than a document: typed, or what is wrong with it. */
export function readAccess(
  value: unknown,
): { readonly access: AccessDocument } | { readonly problems: readonly string[] } {
  const parsed = accessSchema.safeParse(value);
  return parsed.success ? { access: parsed.data } : { problems: parsed.error.issues.map(({ message }) => message) };
}
