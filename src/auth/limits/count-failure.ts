/**
 * Counts clients whose token fails over REST, for the monthly review: the user, where the token was
 * ours.
 */
import { Injectable } from '@nestjs/common';
import { DomainError } from '../../platform/errors.js';
import { currentRequest } from '../../platform/request-context.js';
import { isTokenFailure } from '../../stats/token-failures.js';
import { TroubledClients } from '../../stats/troubled-clients.js';

@Injectable()
export class CountFailure {
  constructor(private readonly clients: TroubledClients) {}

  of(error: unknown): void {
    if (!(error instanceof DomainError) || !isTokenFailure(error.code)) return;
    const client =
      error.who === undefined ? { ip: currentRequest()?.ip ?? '' } : { user: error.who.userId };
    this.clients.note('failed_tokens', client);
  }
}
