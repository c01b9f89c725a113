/**
 * Tokens of the external issuers of ISSUERS_FILE: ID tokens, logout tokens and security events.
 * Verified strictly and told apart by `typ`, `events` and what each must not carry, so that none
 * can be passed off as another. They open and end sessions; none of them ever authenticates a call
 * or a socket.
 */
import { Injectable, Logger } from '@nestjs/common';
import { decodeJwt, errors, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyOptions, ProtectedHeaderParameters } from 'jose';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import type { Issuer } from '../../platform/config/issuers-file.js';
import type { Tenant } from '../../platform/generated/client.js';
import { plainText } from '../../platform/zod.js';
import { IssuerUnavailable } from './bounded-fetch.js';
import { IssuerClient, hasSignIn } from './issuer-client.js';
import { IssuerKeys } from './issuer-keys.js';
import { IssuerMetadata } from './issuer-metadata.js';
import { TokenRefused } from './oauth-errors.js';

/** Issuers' clocks are theirs. */
const LEEWAY_SECONDS = 10;
/** Of OpenID Connect Core 1.0, section 2. */
const subjectSchema = plainText(1, 255);

export interface VerifiedToken {
  entry: Issuer;
  header: ProtectedHeaderParameters;
  claims: JWTPayload & { iss: string; iat: number };
}

interface Trusted {
  readonly entry: Issuer;
  readonly keys: IssuerKeys;
  /** Null: without a button. */
  readonly client: IssuerClient | null;
}

export const namesUsersOf = ({ tenants }: Issuer, { id, slug }: Tenant): boolean =>
  tenants.includes(id) || tenants.includes(slug);

type Rules = Pick<JWTVerifyOptions, 'maxTokenAge' | 'requiredClaims'> & {
  types: readonly (string | undefined)[];
};

@Injectable()
export class Issuers {
  private readonly logger = new Logger(Issuers.name);
  private readonly trusted: Trusted[];

  constructor(config: Config) {
    this.trusted = config.issuers.map((entry) => {
      const metadata = new IssuerMetadata(entry.issuer);
      return {
        entry,
        keys: new IssuerKeys(entry, metadata),
        client: hasSignIn(entry) ? new IssuerClient(entry, metadata) : null,
      };
    });
  }

  /** Those at which users of this tenant may sign in by redirects, in the order of the file. */
  clientsOf(tenant: Tenant): IssuerClient[] {
    return this.trusted.flatMap(({ entry, client }) =>
      client !== null && namesUsersOf(entry, tenant) ? [client] : [],
    );
  }

  /**
   * `trusts` picks the entry of its issuer; of an issuer that nobody trusts nothing is asked.
   * Throws TokenRefused or `unavailable`.
   */
  async verify(
    token: string,
    trusts: (entry: Issuer, claims: JWTPayload) => boolean,
    { types, ...rules }: Rules,
  ): Promise<VerifiedToken> {
    const unverified = read(token);
    const ofIssuer = this.trusted.filter(({ entry }) => entry.issuer === unverified.iss);
    if (ofIssuer.length === 0)
      throw new TokenRefused('invalid_issuer', 'The issuer is not one of ours.');
    const picked = ofIssuer.find(({ entry }) => trusts(entry, unverified));
    if (picked === undefined)
      throw new TokenRefused('invalid_audience', 'The issuer is not trusted for this.');
    const { payload, protectedHeader: header } = await this.check(token, picked, rules);
    if (!types.includes(header.typ?.toLowerCase().replace(/^application\//, '')))
      throw new TokenRefused('invalid_request', 'The token is of another type.');
    return { entry: picked.entry, header, claims: payload as VerifiedToken['claims'] };
  }

  private async check(token: string, { entry, keys }: Trusted, rules: Omit<Rules, 'types'>) {
    try {
      const { issuer, audience, algorithms } = entry;
      return await jwtVerify(token, await keys.get(), {
        issuer,
        audience,
        algorithms,
        clockTolerance: LEEWAY_SECONDS,
        ...rules,
      });
    } catch (error) {
      throw this.refusalOf(error, entry);
    }
  }

  private refusalOf(error: unknown, { issuer }: Issuer): DomainError {
    const { message } = error as Error;
    if (
      error instanceof IssuerUnavailable ||
      error instanceof errors.JWKSTimeout ||
      error instanceof errors.JWKSInvalid
    ) {
      this.logger.warn({ msg: 'an issuer could not be asked', issuer, error: message });
      return new DomainError('unavailable', { detail: message, cause: error });
    }
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') {
      return new TokenRefused('invalid_audience', 'The token is not meant for us.');
    }
    if (
      error instanceof errors.JWTClaimValidationFailed ||
      error instanceof errors.JWTExpired ||
      error instanceof errors.JWTInvalid
    ) {
      return new TokenRefused('invalid_request', 'A claim is missing or wrong.', message);
    }
    return new TokenRefused('invalid_key', 'The signature is not one we accept.', message);
  }
}

export const isSubject = (value: unknown): value is string =>
  subjectSchema.safeParse(value).success;

/** OpenID Connect Core 3.1.3.7: with several audiences, the authorized party has to be us. */
export function isMeantForUs(
  { audience }: Issuer,
  { aud, azp }: JWTPayload & { azp?: unknown },
): boolean {
  if (azp !== undefined) return typeof azp === 'string' && audience.includes(azp);
  return !Array.isArray(aud) || aud.length === 1;
}

function read(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    throw new TokenRefused('invalid_request', 'Not a signed token.');
  }
}
