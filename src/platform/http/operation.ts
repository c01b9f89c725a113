/**
 * A REST call as data: what OpenAPI, the table in the docs and the contract tests are made of.
 * Tables of these stand near the controllers (`*.operations.ts`); a test compares them with what
 * Nest has registered.
 */
import * as z from 'zod';
import { ACTIONS, ERROR_CODES } from '../../protocol/codes.js';
import type { Action, ErrorCode } from '../../protocol/codes.js';

/** Of the interface under `/v1`, not of the build. */
export const API_VERSION = '1.0.0';

export interface Operation {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** In the form of OpenAPI: `/v1/rooms/{room}`. */
  readonly path: string;
  readonly summary: string;
  /** `bearer`: an accepted access token, in the header or in a cookie. */
  readonly auth: 'public' | 'bearer';
  /** Works on a node that cannot prove its authority: the caller is judged in Postgres. */
  readonly authority?: true;
  readonly body?: z.ZodType;
  /** Media type of the body, where it is not JSON. */
  readonly consumes?: string;
  readonly query?: z.ZodType;
  /** Request headers by name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** By status; null: without a body. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** Beside those of every call (`errorsOf`). */
  readonly errors: readonly ErrorCode[];
}

/** `operation('patch', '/v1/rooms/{room}', 'change a room', {...})`: a row of a table. */
export function operation(
  method: Operation['method'],
  path: string,
  summary: string,
  rest: Partial<Pick<Operation, 'auth' | 'errors'>> &
    Omit<Operation, 'method' | 'path' | 'summary' | 'auth' | 'errors'>,
): Operation {
  return { method, path, summary, auth: 'bearer', errors: [], ...rest };
}

const CREDENTIAL: readonly ErrorCode[] = [
  'auth_missing',
  'auth_invalid',
  'token_expired',
  'token_revoked',
  'session_revoked',
  'session_expired',
  'token_reuse',
  'user_suspended',
  'tenant_disabled',
  'csrf_failed',
  'auth_loop',
  'rate_limited',
];
const ALWAYS: readonly ErrorCode[] = ['https_required', 'internal', 'overloaded', 'unavailable'];

/** Every code a call can be refused with, in the order of the table of codes. */
export function errorsOf({ auth, authority, body, query, path, errors }: Operation): ErrorCode[] {
  const codes = new Set<ErrorCode>([...errors, ...ALWAYS]);
  if (auth === 'bearer') for (const code of CREDENTIAL) codes.add(code);
  if (auth === 'bearer' && authority !== true) codes.add('auth_unavailable');
  if (body !== undefined || query !== undefined) codes.add('invalid_request');
  if (body !== undefined) codes.add('too_big');
  if (path.includes('{')) codes.add('not_found');
  return (Object.keys(ERROR_CODES) as ErrorCode[]).filter((code) => codes.has(code));
}

/** RFC 9457; problem.filter.ts builds it. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
    action: z.enum(Object.keys(ACTIONS) as [Action, ...Action[]]),
    request_id: z.uuid(),
    retry_after_ms: z.int().min(0).optional(),
    decision_id: z.uuid().optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
