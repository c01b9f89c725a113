/** The REST calls of this folder, for OpenAPI and the docs. */
import { receiptSchema } from '../../authority/receipt.schema.js';
import { operation } from '../../platform/http/operation.js';
import type { Operation } from '../../platform/http/operation.js';
import { pageQuery, waitQuery } from '../../platform/zod.js';
import { sessionPageSchema } from '../../sessions/session.schema.js';
import { jwksSchema, serverMetadataSchema } from './well-known.schemas.js';
import { exchangeBody } from '../oidc/oauth.schemas.js';
import {
  guestBody,
  loginBody,
  logoutBody,
  meSchema,
  passwordBody,
  refreshBody,
  registerBody,
} from '../sign-in/sign-in.schemas.js';
import { ticketSchema, tokensSchema } from '../tokens/tokens.schemas.js';
import { emptyBody } from '../../platform/zod.js';
import {
  FORM,
  SECURITY_EVENT,
  logoutForm,
  oauthErrorSchema,
  revokedTokenSchema,
  securityEventBody,
  securityEventErrorSchema,
  tokenForm,
} from '../oidc/oauth.schemas.js';

export const AUTH_OPERATIONS: readonly Operation[] = [
  operation('post', '/v1/auth/login', 'sign in with a password', {
    auth: 'public',
    body: loginBody,
    answers: { 200: tokensSchema },
    errors: [
      'invalid_credentials',
      'user_suspended',
      'tenant_disabled',
      'origin_refused',
      'rate_limited',
    ],
  }),
  operation('post', '/v1/auth/register', 'sign up, where the tenant allows it', {
    auth: 'public',
    body: registerBody,
    answers: { 201: tokensSchema },
    errors: ['not_found', 'email_taken', 'tenant_disabled', 'origin_refused', 'rate_limited'],
  }),
  operation('post', '/v1/auth/guest', 'look in without a user, where the tenant allows it', {
    auth: 'public',
    body: guestBody,
    answers: { 201: tokensSchema },
    errors: ['not_found', 'tenant_disabled', 'origin_refused', 'rate_limited'],
  }),
  operation('post', '/v1/auth/exchange', 'sign in with the ID token of an external issuer', {
    auth: 'public',
    body: exchangeBody,
    answers: { 200: tokensSchema },
    errors: [
      'auth_invalid',
      'not_found',
      'email_taken',
      'user_suspended',
      'tenant_disabled',
      'origin_refused',
      'rate_limited',
    ],
  }),
  operation(
    'post',
    '/v1/auth/refresh',
    'a new access token; the refresh token in the body or a cookie',
    {
      auth: 'public',
      body: refreshBody,
      answers: { 200: tokensSchema },
      errors: [
        'auth_missing',
        'auth_invalid',
        'session_revoked',
        'session_expired',
        'token_reuse',
        'user_suspended',
        'tenant_disabled',
        'csrf_failed',
        'auth_loop',
        'rate_limited',
      ],
    },
  ),
  operation('post', '/v1/auth/logout', 'end this session, the others, or all of mine', {
    authority: true,
    body: logoutBody,
    query: waitQuery,
    answers: { 200: receiptSchema },
  }),
  operation('post', '/v1/auth/password', 'a new password; ends my other sessions', {
    authority: true,
    body: passwordBody,
    query: waitQuery,
    answers: { 200: receiptSchema },
    errors: ['invalid_credentials', 'guest_read_only', 'rate_limited'],
  }),
  operation('post', '/v1/auth/ticket', 'a single-use ticket for opening a WebSocket', {
    authority: true,
    body: emptyBody,
    answers: { 200: ticketSchema },
  }),
  operation('get', '/v1/auth/sessions', 'my devices', {
    query: pageQuery,
    answers: { 200: sessionPageSchema },
  }),
  operation('delete', '/v1/auth/sessions/{id}', 'end one of them', {
    authority: true,
    query: waitQuery,
    answers: { 200: receiptSchema },
  }),
  operation('get', '/v1/me', 'principal, tenant, role', { answers: { 200: meSchema } }),
  operation(
    'post',
    '/v1/oauth/revoke',
    'end the session of a token (RFC 7009); 200 whatever the token was',
    {
      auth: 'public',
      body: tokenForm,
      consumes: FORM,
      query: waitQuery,
      answers: { 200: revokedTokenSchema, 400: oauthErrorSchema },
    },
  ),
  operation(
    'post',
    '/v1/oauth/backchannel-logout',
    'OpenID back-channel logout by an external issuer',
    {
      auth: 'public',
      body: logoutForm,
      consumes: FORM,
      answers: { 200: null, 400: oauthErrorSchema },
      errors: ['rate_limited'],
    },
  ),
  operation(
    'post',
    '/v1/oauth/events',
    'security events of an external issuer (RFC 8935): CAEP `session-revoked`',
    {
      auth: 'public',
      body: securityEventBody,
      consumes: SECURITY_EVENT,
      answers: { 202: null, 400: securityEventErrorSchema },
      errors: ['rate_limited'],
    },
  ),
  operation('get', '/.well-known/jwks.json', 'public signing keys (RFC 7517)', {
    auth: 'public',
    answers: { 200: jwksSchema },
  }),
  operation('get', '/.well-known/oauth-authorization-server', 'metadata (RFC 8414)', {
    auth: 'public',
    answers: { 200: serverMetadataSchema },
  }),
];
