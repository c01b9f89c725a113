/** Bodies and answers of the calls in this folder: types, validation and OpenAPI come from here. */
import * as z from 'zod';
import { emailSchema } from '../platform/email.js';
import { plainText } from '../platform/zod.js';
import { externalToken } from './oauth.schemas.js';

export const nameSchema = plainText(1, 100);
/** Any Unicode; only its bytes are limited (passwords.ts). */
export const newPasswordSchema = plainText(8, 1024);
const givenPassword = plainText(1, 1024);
const tenantRef = plainText(1, 64).meta({ description: 'id or slug' });

const device = plainText(1, 100).optional().meta({ description: 'shown in the list of sessions' });
const transport = z.enum(['body', 'cookie']).default('body').meta({ description: '`cookie`: tokens go into cookies, not into the answer' });

export const loginBody = z.strictObject({ tenant: tenantRef, email: emailSchema, password: givenPassword, device, transport }).meta({ id: 'LoginRequest' });
export type LoginBody = z.infer<typeof loginBody>;

export const registerBody = z
  .strictObject({ tenant: tenantRef, email: emailSchema, password: newPasswordSchema, name: nameSchema.optional(), device, transport })
  .meta({ id: 'RegisterRequest' });
export type RegisterBody = z.infer<typeof registerBody>;

export const guestBody = z.strictObject({ tenant: tenantRef, device, transport }).meta({ id: 'GuestRequest' });
export type GuestBody = z.infer<typeof guestBody>;

export const exchangeBody = z
  .strictObject({ tenant: tenantRef, id_token: externalToken.meta({ description: 'of an issuer in ISSUERS_FILE' }), device, transport })
  .meta({ id: 'ExchangeRequest' });
export type ExchangeBody = z.infer<typeof exchangeBody>;

export const refreshBody = z.strictObject({ refresh_token: z.string().min(1).max(512).optional() }).meta({ id: 'RefreshRequest' });
export type RefreshBody = z.infer<typeof refreshBody>;

export const logoutBody = z.strictObject({ scope: z.enum(['session', 'others', 'all']).default('session') }).meta({ id: 'LogoutRequest' });
export type LogoutBody = z.infer<typeof logoutBody>;

export const passwordBody = z.strictObject({ current: givenPassword, new: newPasswordSchema }).meta({ id: 'PasswordRequest' });
export type PasswordBody = z.infer<typeof passwordBody>;

export const emptyBody = z.strictObject({});

export const tokensSchema = z
  .strictObject({
    access_token: z.string().optional().meta({ description: 'absent with transport `cookie`' }),
    token_type: z.literal('Bearer'),
    expires_in: z.int().min(0).meta({ description: 'seconds' }),
    refresh_token: z.string().optional().meta({ description: 'absent with transport `cookie`' }),
    session_id: z.uuid(),
    refresh_after_ms: z.int().min(0),
  })
  .meta({ id: 'Tokens' });
export type Tokens = z.infer<typeof tokensSchema>;

export const ticketSchema = z.strictObject({ ticket: z.string(), expires_in: z.int().min(1) }).meta({ id: 'Ticket' });
export type Ticket = z.infer<typeof ticketSchema>;

export const meSchema = z
  .strictObject({
    user_id: z.uuid(),
    tenant_id: z.uuid(),
    session_id: z.uuid(),
    tenant: z.strictObject({ id: z.uuid(), slug: z.string(), name: z.string() }),
    role: z.enum(['member', 'admin', 'operator', 'guest']),
    email: z.string().nullable(),
    name: z.string().nullable(),
  })
  .meta({ id: 'Me' });
export type Me = z.infer<typeof meSchema>;

export const jwksSchema = z
  .strictObject({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.literal('sig') })) })
  .meta({ id: 'Jwks' });

export const serverMetadataSchema = z
  .strictObject({
    issuer: z.url(),
    jwks_uri: z.url(),
    response_types_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    revocation_endpoint: z.url(),
    revocation_endpoint_auth_methods_supported: z.array(z.string()),
    introspection_endpoint: z.url(),
    introspection_endpoint_auth_methods_supported: z.array(z.string()).meta({ description: '`Bearer`: an access token of an operator or admin' }),
    service_documentation: z.url().meta({ description: 'OpenAPI of this server' }),
  })
  .meta({ id: 'ServerMetadata' });
export type ServerMetadata = z.infer<typeof serverMetadataSchema>;
