/**
 * A REST call as data. `@Operation` on the handler declares it, and everything that has to know the
 * calls reads it there: BearerGuard, the budgets, the door (exact-calls.ts), OpenAPI, the tables of
 * the docs and the tests. Method and path come from Nest's own `@Get`, `@Post` and so on, body and
 * query from `@ZodBody` and `@ZodQuery`.
 */
import {
  HttpCode,
  RequestMethod,
  SetMetadata,
  UseInterceptors,
  applyDecorators,
} from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import * as z from 'zod';
import { ACTIONS, ERROR_CODES } from '@wardroom/protocol/codes';
import type { Action, ErrorCode } from '@wardroom/protocol/codes';
import { RecheckInterceptor } from './recheck.interceptor.js';

/** Of the interface under `/v1`, not of the build. */
export const API_VERSION = '1.0.0';

export interface StepUp {
  /** For people: which calls of the operation need it. */
  readonly when: string;
  asked(body: Readonly<Record<string, unknown>>): boolean;
}

interface Declaration {
  readonly summary: string;
  /** `bearer`: an accepted access token, in the header or in a cookie. */
  readonly auth: 'public' | 'bearer';
  /**
   * Works on a node that cannot prove its authority: there the caller is checked in Postgres. The
   * handler calls `lockCaller` in its transaction.
   */
  readonly authority?: true;
  /**
   * Needs a password that was given lately (auth/guard/step-up.guard.ts). `asked`: for these bodies
   * only, which are not validated yet.
   */
  readonly stepUp?: StepUp;
  /** Media type of the body, where it is not JSON. */
  readonly consumes?: string;
  /** Media type of the answer, where it is not JSON. */
  readonly produces?: string;
  /** Request headers by name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** By status; null: without a body. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** Beside those of every call (`errorsOf`). */
  readonly errors: readonly ErrorCode[];
}

interface Input {
  readonly body?: z.ZodType;
  readonly query?: z.ZodType;
}

export interface Operation extends Declaration, Input {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** In the form of OpenAPI: `/v1/rooms/{room}`. */
  readonly path: string;
}

const DECLARATION = Symbol('operation');
const INPUT = Symbol('input of an operation');

/** Every handler of a REST call has one; without `auth` it needs an accepted access token. */
export function Operation({
  auth = 'bearer',
  errors = [],
  ...rest
}: Partial<Declaration> & Pick<Declaration, 'summary' | 'answers'>): MethodDecorator {
  const declaration: Declaration = { ...rest, auth, errors };
  return applyDecorators(
    SetMetadata(DECLARATION, declaration),
    HttpCode(statusOf(declaration)),
    ...(auth === 'bearer' ? [UseInterceptors(RecheckInterceptor)] : []),
  );
}

/** A handler that may answer 200 for what is there already sets that itself. */
const statusOf = ({ answers }: Declaration): number =>
  Math.max(
    ...Object.keys(answers)
      .map(Number)
      .filter((status) => status < 400),
  );

/** Called by the decorators of parameters, which run before those of their method. */
export function recordInput(handler: object, input: Input): void {
  const known = Reflect.getMetadata(INPUT, handler) as Input | undefined;
  Reflect.defineMetadata(INPUT, { ...known, ...input }, handler);
}

/** Throws for a handler without `@Operation`: nobody knows who may call it. */
export function declarationOf(handler: object): Declaration {
  const declaration = Reflect.getMetadata(DECLARATION, handler) as Declaration | undefined;
  if (declaration === undefined)
    throw new Error(`the handler ${(handler as { name?: string }).name} has no @Operation`);
  return declaration;
}

export function operationOf(controller: object, handler: object): Operation {
  const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
  const path = [controller, handler]
    .flatMap((part) => (Reflect.getMetadata(PATH_METADATA, part) as string).split('/'))
    .filter((part) => part !== '')
    .map((part) => (part.startsWith(':') ? `{${part.slice(1)}}` : part));
  return {
    ...declarationOf(handler),
    ...(Reflect.getMetadata(INPUT, handler) as Input | undefined),
    method: RequestMethod[method].toLowerCase() as Operation['method'],
    path: `/${path.join('/')}`,
  };
}

/** In the order of the handlers. Throws when one has no `@Operation`. */
export function operationsOf(controller: Type): Operation[] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype)
    .map((name) => prototype[name]!)
    .filter((member) => Reflect.hasMetadata(METHOD_METADATA, member))
    .map((handler) => operationOf(controller, handler));
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
export function errorsOf(operation: Operation): ErrorCode[] {
  const { auth, authority, stepUp, body, query, path, errors } = operation;
  const codes = new Set<ErrorCode>([...errors, ...ALWAYS]);
  if (stepUp !== undefined) codes.add('step_up_required');
  if (auth === 'bearer') for (const code of CREDENTIAL) codes.add(code);
  if (auth === 'bearer' && authority !== true) codes.add('auth_unavailable');
  if (body !== undefined || query !== undefined) codes.add('invalid_request');
  if (body !== undefined) codes.add('too_big');
  if (path.includes('{')) codes.add('not_found');
  return (Object.keys(ERROR_CODES) as ErrorCode[]).filter((code) => codes.has(code));
}

/** The answer of a call whose form is not ours to promise. */
export const documentSchema = z.looseObject({}).meta({ description: 'a JSON document' });

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
  .meta({
    id: 'Problem',
    examples: [
      {
        type: 'urn:wardroom:not_found',
        title: 'not found',
        status: 404,
        detail: ERROR_CODES.not_found.message,
        code: 'not_found',
        action: 'none',
        request_id: '01a1f0c2-7b3e-7c55-9f0e-2d9b6a1c4e02',
      },
    ],
  });
