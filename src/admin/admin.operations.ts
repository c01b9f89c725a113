/** The REST calls of this folder, for OpenAPI and the docs. */
import * as z from 'zod';
import {
  FORM,
  introspectionSchema,
  oauthErrorSchema,
  tokenForm,
} from '../auth/oidc/oauth.schemas.js';
import { receiptSchema } from '../authority/receipt.schema.js';
import { operation } from '../platform/http/operation.js';
import type { Operation } from '../platform/http/operation.js';
import { pageQuery, waitQuery } from '../platform/zod.js';
import { sessionPageSchema } from '../sessions/session.schema.js';
import { auditPageSchema, auditQuerySchema } from './audit.schema.js';
import { decisionSchema, explainQuerySchema, explanationSchema } from './decision.schema.js';
import { keyListSchema, sessionsQuerySchema } from './admin-queries.schema.js';
import { revocationSchema } from './revocation.schema.js';
import {
  changedTenantSchema,
  newTenantSchema,
  tenantPageSchema,
  tenantPatchSchema,
  tenantSchema,
} from './tenant.schema.js';
import {
  changedUserSchema,
  newUserSchema,
  userPageSchema,
  userPatchSchema,
  userSchema,
} from './user.schema.js';

const errors = ['role_required'] as const;
const documentSchema = z.looseObject({}).meta({ description: 'a JSON document' });

export const ADMIN_OPERATIONS: readonly Operation[] = [
  operation('post', '/v1/admin/tenants', 'make a tenant (operators)', {
    body: newTenantSchema,
    answers: { 201: tenantSchema },
    errors: ['slug_taken', 'role_required'],
  }),
  operation('get', '/v1/admin/tenants', 'all tenants (operators)', {
    query: pageQuery,
    answers: { 200: tenantPageSchema },
    errors,
  }),
  operation(
    'patch',
    '/v1/admin/tenants/{tenant}',
    'change, disable or restore a tenant (operators)',
    {
      authority: true,
      body: tenantPatchSchema,
      query: waitQuery,
      answers: { 200: changedTenantSchema },
      errors: ['slug_taken', 'role_required'],
    },
  ),
  operation('post', '/v1/admin/tenants/{tenant}/users', 'make a user', {
    body: newUserSchema,
    answers: { 201: userSchema },
    errors: ['email_taken', 'role_required'],
  }),
  operation('get', '/v1/admin/tenants/{tenant}/users', 'users of a tenant', {
    query: pageQuery,
    answers: { 200: userPageSchema },
    errors,
  }),
  operation(
    'patch',
    '/v1/admin/users/{user}',
    'suspend, restore, promote, demote or rename a user',
    {
      authority: true,
      body: userPatchSchema,
      query: waitQuery,
      answers: { 200: changedUserSchema },
      errors,
    },
  ),
  operation('get', '/v1/admin/sessions', 'live sessions', {
    query: sessionsQuerySchema,
    answers: { 200: sessionPageSchema },
    errors: ['role_required', 'not_found'],
  }),
  operation(
    'post',
    '/v1/admin/revocations',
    'end a session, a user, a tenant, or what a key signed',
    {
      authority: true,
      body: revocationSchema,
      query: waitQuery,
      answers: { 200: receiptSchema },
      errors: ['role_required', 'not_found'],
    },
  ),
  operation(
    'post',
    '/v1/oauth/introspect',
    'is this token good now, and whose (RFC 7662; operators, admins of its tenant)',
    {
      body: tokenForm,
      consumes: FORM,
      answers: { 200: introspectionSchema, 400: oauthErrorSchema },
      errors,
    },
  ),
  operation('get', '/v1/receipts/{id}', 'follow a receipt', {
    authority: true,
    answers: { 200: receiptSchema },
  }),
  operation('get', '/v1/admin/decisions/{id}', 'why something was refused, for an hour', {
    answers: { 200: decisionSchema },
    errors,
  }),
  operation('get', '/v1/admin/explain', 'what would be decided', {
    query: explainQuerySchema,
    answers: { 200: explanationSchema },
    errors: ['role_required', 'not_found'],
  }),
  operation('get', '/v1/admin/audit', 'who did what, newest first', {
    query: auditQuerySchema,
    answers: { 200: auditPageSchema },
    errors: ['role_required', 'not_found'],
  }),
  operation('get', '/v1/admin/keys', 'signing keys (operators)', {
    answers: { 200: keyListSchema },
    errors,
  }),
  operation('get', '/openapi.json', 'this REST interface', {
    auth: 'public',
    answers: { 200: documentSchema },
  }),
  operation('get', '/asyncapi.json', 'the WebSocket interface', {
    auth: 'public',
    answers: { 200: documentSchema },
  }),
  operation('get', '/livez', 'the process answers', {
    auth: 'public',
    answers: { 200: z.object({ status: z.literal('ok') }) },
  }),
  operation('get', '/readyz', '503 while draining, fenced, or Postgres is down', {
    auth: 'public',
    answers: { 200: documentSchema, 503: documentSchema },
  }),
];
