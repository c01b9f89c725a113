/**
 * ISSUERS_FILE: the external OpenID issuers, a JSON array. Read once; a bad file stops the start
 * like any bad variable.
 */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { nameable, plainText } from '../zod.js';

/** Public keys only: a shared secret, or none, would let anybody be anybody. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

const url = z.url({ protocol: /^https?$/ });
const text = z.string().min(1).max(512);
const oneOrMore = z.union([text, z.array(text).min(1)]).transform((value) => [value].flat());

/** VSCHAR of RFC 6749, appendix A. */
const secret = z.string().regex(/^[ -~]{1,512}$/, 'must be visible ASCII');

const issuerSchema = z
  .strictObject({
    /** Compared as it stands, also its last slash. */
    issuer: url,
    audience: oneOrMore.optional(),
    /** Another word for the audience of ID tokens. */
    client_id: text.optional(),
    /** Slugs or ids of the tenants whose users it may name. */
    tenants: z.array(z.string().min(1).max(64)).min(1),
    /** Absent: found by OpenID discovery. */
    jwks_uri: url.optional(),
    algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(['RS256', 'ES256']),
    /**
     * Names of claims. `role` is asked when a user is made: `admin`, alone or in a list, makes an
     * admin.
     */
    claims: z
      .strictObject({
        email: text.default('email'),
        name: text.default('name'),
        role: text.optional(),
      })
      .default({ email: 'email', name: 'name' }),
    /** `assumed`: for issuers that verify every address and do not say so. */
    email_verified: z.enum(['required', 'assumed']).default('required'),
    /** The users it may sign in: those that exist, by e-mail the first time, or also new ones. */
    users: z.enum(['existing', 'create']).default('existing'),
    /** A button on the page that signs in, and the redirects behind it. Needs `client_id`. */
    sign_in: z
      .strictObject({
        /** On the button. */
        label: plainText(1, 60),
        /** Absent: a public client, which has PKCE alone. */
        client_secret: secret.optional(),
        scope: text
          .refine((scope) => scope.split(' ').includes('openid'), 'must name openid')
          .default('openid email profile'),
      })
      .optional(),
    /** An unknown key makes us read the key set again, at most this often. */
    jwks_cooldown_seconds: z.number().int().min(1).max(3600).default(30),
  })
  .refine((entry) => entry.audience !== undefined || entry.client_id !== undefined, {
    message: 'audience or client_id is required',
    path: ['audience'],
  })
  .refine((entry) => entry.sign_in === undefined || entry.client_id !== undefined, {
    message: 'sign_in needs client_id',
    path: ['sign_in'],
  })
  .transform(({ audience = [], client_id, ...entry }) => ({
    ...entry,
    client_id,
    audience: client_id === undefined ? audience : [...audience, client_id],
  }));
export type Issuer = z.output<typeof issuerSchema>;

const listSchema = z.array(issuerSchema).refine(
  (entries) => {
    const pairs = entries.flatMap(({ issuer, tenants }) =>
      tenants.map((tenant) => `${issuer} ${tenant}`),
    );
    return new Set(pairs).size === pairs.length;
  },
  { message: 'an issuer is named twice for one tenant' },
);

/** The path of the file in, its entries out; none without a file. */
export const issuersFile = z
  .string()
  .optional()
  .transform((path, context): Issuer[] => {
    if (path === undefined) return [];
    const { entries, problem } = read(path);
    if (problem !== undefined) {
      context.addIssue(problem);
      return z.NEVER;
    }
    const result = listSchema.safeParse(entries);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const unknown =
        issue.code === 'unrecognized_keys'
          ? `unknown fields ${issue.keys.flatMap(nameable).join(', ')}`.trimEnd()
          : undefined;
      context.addIssue(
        [...(issue.path.length === 0 ? [] : [issue.path.join('.')]), unknown ?? issue.message].join(
          ': ',
        ),
      );
    }
    return z.NEVER;
  });

function read(path: string): { entries?: unknown; problem?: string } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return { problem: 'cannot be read' };
  }
  try {
    return { entries: JSON.parse(text) };
  } catch {
    return { problem: 'is not JSON' };
  }
}
