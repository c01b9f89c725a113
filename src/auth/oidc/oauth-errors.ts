/**
 * Under /v1/oauth a request that is not valid is answered in the words of its specification, not as
 * a problem: its callers are other people's libraries. Answers that are understood by their status
 * - 401, 403, 429, 5xx - stay problems.
 */
import { Catch, Injectable } from '@nestjs/common';
import type { ArgumentsHost } from '@nestjs/common';
import type { Response } from 'express';
import { DomainError } from '../../platform/errors.js';
import { Metrics } from '../../platform/metrics.js';
import { ProblemFilter, toDomainError } from '../../platform/http/problem.filter.js';

/** Codes of RFC 8935, section 2.4. */
export type RefusalCode = 'invalid_request' | 'invalid_key' | 'invalid_issuer' | 'invalid_audience';

/** A token of an issuer that was refused; both parts go out. */
export class TokenRefused extends DomainError {
  constructor(
    readonly refusal: RefusalCode,
    readonly description: string,
    detail?: string,
  ) {
    super('invalid_request', {
      status: 400,
      detail: detail === undefined ? description : `${description}: ${detail}`,
    });
  }
}

@Catch()
@Injectable()
export class OAuthErrors extends ProblemFilter {
  constructor(private readonly numbers: Metrics) {
    super(numbers);
  }

  override catch(thrown: unknown, host: ArgumentsHost): void {
    const error = toDomainError(thrown);
    // oxlint-disable-next-line promise/valid-params -- Nest's name for what a filter does
    if (error.code !== 'invalid_request') return super.catch(thrown, host);
    this.numbers.refusals.inc({ code: error.code, via: 'http' });
    const refusal = error instanceof TokenRefused ? error.refusal : 'invalid_request';
    const answer = this.answer(refusal, descriptionOf(error));
    host
      .switchToHttp()
      .getResponse<Response>()
      .status(400)
      .setHeader('Cache-Control', 'no-store')
      .json(answer);
  }

  /** RFC 6749 has one word for all of them. */
  protected answer(_refusal: RefusalCode, error_description: string): object {
    return { error: 'invalid_request', error_description };
  }
}

@Catch()
@Injectable()
export class SecurityEventErrors extends OAuthErrors {
  protected override answer(err: RefusalCode, description: string): object {
    return { err, description };
  }
}

function descriptionOf(error: DomainError): string {
  if (error instanceof TokenRefused) return error.description;
  const fields = (error.errors ?? []).map(({ path, message }) =>
    path === '' ? message : `${path}: ${message}`,
  );
  return fields.length === 0 ? error.message : fields.join('; ');
}
