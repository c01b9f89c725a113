/**
 * Every HTTP error leaves here, as RFC 9457 `application/problem+json` with a code of the contract.
 */
import { Catch, HttpException, Logger } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { ErrorCode } from '@wardroom/protocol/codes';
import { DomainError } from '../errors.js';
import { newId } from '../ids.js';
import { Metrics } from '../metrics.js';
import { sqlState } from '../stores/database.js';

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  action: string;
  request_id: string;
  retry_after_ms?: number;
  decision_id?: string;
  errors?: readonly { path: string; message: string }[];
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  constructor(private readonly metrics: Metrics) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const error = toDomainError(thrown);
    const problem = toProblem(error, requestId(request));
    this.metrics.refusals.inc({ code: error.code, via: 'http' });
    if (error.denied !== undefined)
      this.metrics.denials.inc({ action: error.denied, code: error.code });
    const line = {
      msg: 'request refused',
      request_id: problem.request_id,
      method: request.method,
      path: request.path,
      code: error.code,
      detail: error.detail,
    };
    if (error.code === 'internal') this.logger.error({ ...line, error: error.cause ?? thrown });
    else if (error.status >= 500)
      this.logger.warn({ ...line, cause: (error.cause as Error | undefined)?.message });
    else this.logger.debug(line);
    if (response.headersSent) {
      // Cut: nobody takes what came for the whole answer.
      response.destroy();
      return;
    }
    // Of a file that is not sent after all.
    for (const name of ['Content-Encoding', 'ETag']) response.removeHeader(name);
    for (const [name, value] of Object.entries(problemHeaders(error)))
      response.setHeader(name, value);
    response.status(problem.status).send(JSON.stringify(problem));
  }
}

export function requestId(request: {
  headers: Record<string, unknown>;
  requestId?: string;
}): string {
  return (request.requestId ??= newId());
}

export function toProblem(error: DomainError, request_id: string): Problem {
  return {
    type: `urn:wardroom:${error.code}`,
    title: error.code.replaceAll('_', ' '),
    status: error.status,
    detail: error.message,
    code: error.code,
    action: error.action,
    request_id,
    ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: error.retryAfterMs }),
    ...(error.decisionId === undefined ? {} : { decision_id: error.decisionId }),
    ...(error.errors === undefined ? {} : { errors: error.errors }),
  };
}

export function problemHeaders(error: DomainError): Record<string, string> {
  const headers: Record<string, string> = {
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Cache-Control': 'no-store',
  };
  if (error.status === 401) headers['WWW-Authenticate'] = 'Bearer error="invalid_token"';
  // RFC 9470. It says 401; here that would be a credential that is refused.
  if (error.code === 'step_up_required')
    headers['WWW-Authenticate'] = 'Bearer error="insufficient_user_authentication"';
  if (error.status === 429 || error.status === 503)
    headers['Retry-After'] = String(Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000)));
  return headers;
}

/** Frameworks and drivers throw their own; each gets the code a client can act on. */
export function toDomainError(thrown: unknown): DomainError {
  if (thrown instanceof DomainError) return thrown;
  const status =
    thrown instanceof HttpException
      ? thrown.getStatus()
      : ((thrown as { status?: unknown } | null)?.status ?? 0);
  // 412 and 416: conditions and ranges of a file.
  if (status === 400 || status === 412 || status === 415 || status === 416)
    return new DomainError('invalid_request', { status, cause: thrown });
  if (status === 413) return new DomainError('too_big', { cause: thrown });
  if (status === 401) return new DomainError('auth_invalid', { cause: thrown });
  if (status === 403) return new DomainError('role_required', { cause: thrown });
  if (status === 404) return new DomainError('not_found', { cause: thrown });
  if (status === 405) return new DomainError('method_not_allowed', { cause: thrown });
  if (status === 503) return new DomainError('unavailable', { cause: thrown });
  if (status === 429) return new DomainError('rate_limited', { cause: thrown });
  const state = sqlState(thrown);
  if (state !== undefined && ['08', '53', '57', '25'].includes(state.slice(0, 2)))
    return new DomainError('unavailable', { cause: thrown });
  if (state === '55P03' || state === '40P01' || state === '40001')
    return new DomainError('overloaded', { cause: thrown });
  if (isConnectionTrouble(thrown)) return new DomainError('unavailable', { cause: thrown });
  return new DomainError('internal', { cause: thrown });
}

function isConnectionTrouble(thrown: unknown): boolean {
  const { code, message } = (thrown ?? {}) as { code?: unknown; message?: unknown };
  if (
    typeof code === 'string' &&
    /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|P1001|P1002|P1008|P1017|P2024|P2028)/.test(code)
  )
    return true;
  return (
    typeof message === 'string' &&
    /(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Can't reach database)/i.test(
      message,
    )
  );
}
