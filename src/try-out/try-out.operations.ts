/** The calls of this folder. They are let in like others, and stand in no document. */
import { tokensSchema } from '../auth/tokens/tokens.schemas.js';
import { operation } from '../platform/http/operation.js';
import type { Operation } from '../platform/http/operation.js';
import { tryNodeSchema, trySignInBody } from './try-out.schema.js';

export const TRY_OPERATIONS: readonly Operation[] = [
  operation('get', '/v1/try', 'the node as the try-out page shows it', {
    auth: 'public',
    answers: { 200: tryNodeSchema },
  }),
  operation('post', '/v1/try/sign-in', 'sign a seeded person in', {
    auth: 'public',
    body: trySignInBody,
    answers: { 200: tokensSchema },
    errors: ['not_found'],
  }),
];
