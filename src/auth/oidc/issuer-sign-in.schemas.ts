/** Bodies and answers of /v1/auth/issuers. */
import * as z from 'zod';
import { plainText } from '../../platform/zod.js';
import { device, tenantRef } from '../sign-in/sign-in.schemas.js';

export const issuersQuery = z.strictObject({ tenant: tenantRef });
export type IssuersQuery = z.infer<typeof issuersQuery>;

export const signInIssuersSchema = z
  .strictObject({
    items: z.array(
      z.strictObject({
        issuer: z.string(),
        label: z.string().meta({ description: 'for the button' }),
      }),
    ),
  })
  .meta({ id: 'SignInIssuers' });
export type SignInIssuers = z.infer<typeof signInIssuersSchema>;

export const beginBody = z
  .strictObject({
    tenant: tenantRef,
    issuer: plainText(1, 512),
    to: plainText(1, 1_000).meta({
      description: 'where the browser comes back to: a path, or a page of an allowed origin',
    }),
    fresh: z.boolean().default(false).meta({
      description: 'the issuer asks who it is even where it knows: a fresh proof for this session',
    }),
    device,
  })
  .meta({ id: 'IssuerSignInRequest' });
export type BeginBody = z.infer<typeof beginBody>;

export const beginSchema = z
  .strictObject({ url: z.url().meta({ description: 'of the issuer: send the browser there' }) })
  .meta({ id: 'IssuerSignIn' });
export type Begin = z.infer<typeof beginSchema>;

/** The answer of the issuer. A page waits for it, so whatever is wrong is told there. */
export const callbackQuery = z.looseObject({
  state: z.unknown().optional(),
  code: z.unknown().optional(),
  error: z.unknown().optional(),
});
