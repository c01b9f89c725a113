/** One upgrade request on its way through the guards of the handshake. */
import type { IncomingMessage } from 'node:http';
import type { DomainError } from '../../platform/errors.js';
import type { AcceptedToken } from '../../sessions/principal.js';
import type { Carrier } from './carriers.js';

/** A header's token, verified before the upgrade. */
export type HeaderOutcome = { token: AcceptedToken } | { refused: DomainError };

export class Upgrade {
  /** Set by `CredentialGuard`: where the credential is. */
  carrier: Carrier = { kind: 'message' };
  /** Set by `CredentialGuard` where the carrier is a header. */
  header: HeaderOutcome | null = null;

  constructor(
    readonly request: IncomingMessage,
    readonly url: URL,
    /** The client's address. */
    readonly ip: string,
  ) {}

  get origin(): string | undefined {
    return this.request.headers.origin;
  }
}
