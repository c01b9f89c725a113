/**
 * Bodies and answers of /v1/oauth. Form parameters that a specification may add are ignored, as
 * OAuth asks.
 */
import * as z from 'zod';
import { device, tenantRef, transport } from '../sign-in/sign-in.schemas.js';
import { receiptSchema } from '../../authority/receipt.schema.js';

export const FORM = 'application/x-www-form-urlencoded';
export const SECURITY_EVENT = 'application/secevent+jwt';

/** Room for what issuers put into a token: groups, addresses. */
export const externalToken = z.string().min(1).max(16_384);

/** RFC 7662 and RFC 7009 ask alike. */
export const tokenForm = z
  .object({
    token: externalToken,
    token_type_hint: z
      .string()
      .max(64)
      .optional()
      .meta({ description: 'not needed: our tokens say what they are' }),
  })
  .meta({ id: 'TokenForm' });
export type TokenForm = z.infer<typeof tokenForm>;

export const introspectionSchema = z
  .strictObject({
    active: z.boolean(),
    token_type: z
      .literal('Bearer')
      .optional()
      .meta({ description: 'of an access token or the key of a service account' }),
    iss: z.string().optional(),
    aud: z.string().optional(),
    sub: z.uuid().optional(),
    tid: z.uuid().optional().meta({ description: 'tenant' }),
    sid: z.uuid().optional().meta({ description: 'session' }),
    jti: z.uuid().optional(),
    scope: z.string().optional().meta({ description: 'of the key of a service account' }),
    iat: z.int().optional(),
    exp: z.int().optional().meta({ description: 'of a refresh token: the end of its session' }),
  })
  .meta({ id: 'Introspection' });
export type Introspection = z.infer<typeof introspectionSchema>;

export const revokedTokenSchema = z
  .strictObject({
    receipt: receiptSchema
      .nullable()
      .meta({ description: 'null: the token meant no living session' }),
  })
  .meta({ id: 'RevokedToken' });
export type RevokedToken = z.infer<typeof revokedTokenSchema>;

export const logoutForm = z
  .object({ logout_token: externalToken })
  .meta({ id: 'BackchannelLogoutForm' });
export type LogoutForm = z.infer<typeof logoutForm>;

export const securityEventBody = z
  .string()
  .min(1)
  .max(65_536)
  .meta({ description: 'a security event token (RFC 8417)' });

/** RFC 6749, section 5.2. */
export const oauthErrorSchema = z
  .strictObject({ error: z.string(), error_description: z.string() })
  .meta({ id: 'OAuthError' });
/** RFC 8935, section 2.3. */
export const securityEventErrorSchema = z
  .strictObject({ err: z.string(), description: z.string() })
  .meta({ id: 'SecurityEventError' });

export const exchangeBody = z
  .strictObject({
    tenant: tenantRef,
    id_token: externalToken.meta({ description: 'of an issuer in ISSUERS_FILE' }),
    device,
    transport,
  })
  .meta({ id: 'ExchangeRequest' });
export type ExchangeBody = z.infer<typeof exchangeBody>;
