/**
 * This service as a client of an external issuer: the authorization code flow with PKCE, state and
 * nonce (OpenID Connect Core 1.0, section 3.1; RFC 7636, RFC 9207). The ID token that comes out is
 * verified like any other (issuers.ts).
 */
import { Logger } from '@nestjs/common';
import * as client from 'openid-client';
import type { Issuer } from '../../platform/config/issuers-file.js';
import { DomainError } from '../../platform/errors.js';
import { BoundedFetch, IssuerUnavailable } from './bounded-fetch.js';
import type { IssuerMetadata, Metadata } from './issuer-metadata.js';

/** Carried along on the browser's way to the issuer and back. */
export interface Secrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export const newSecrets = (): Secrets => ({
  state: client.randomState(),
  nonce: client.randomNonce(),
  verifier: client.randomPKCECodeVerifier(),
});

export interface Identification {
  readonly idToken: string;
  /**
   * Claims that some issuers tell only when they are asked for them (OpenID Connect Core 1.0,
   * section 5.4).
   */
  readonly profile?: Readonly<Record<string, unknown>>;
}

/** An issuer that has a button. */
export type SignInIssuer = Issuer & {
  readonly client_id: string;
  readonly sign_in: NonNullable<Issuer['sign_in']>;
};

export const hasSignIn = (entry: Issuer): entry is SignInIssuer =>
  entry.sign_in !== undefined && entry.client_id !== undefined;

export class IssuerClient {
  private readonly logger = new Logger(IssuerClient.name);
  private readonly source = new BoundedFetch();
  private made: { metadata: Metadata; configuration: client.Configuration } | null = null;

  constructor(
    private readonly entry: SignInIssuer,
    private readonly metadata: IssuerMetadata,
  ) {}

  get issuer(): string {
    return this.entry.issuer;
  }

  get label(): string {
    return this.entry.sign_in.label;
  }

  /** Where the browser goes. Throws `unavailable`. */
  async authorizationUrl(secrets: Secrets, redirectUri: string, fresh: boolean): Promise<string> {
    try {
      return client.buildAuthorizationUrl(await this.configuration(), {
        redirect_uri: redirectUri,
        scope: this.entry.sign_in.scope,
        state: secrets.state,
        nonce: secrets.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(secrets.verifier),
        code_challenge_method: 'S256',
        // With it the issuer has to say `auth_time` (OpenID Connect Core 1.0, section 3.1.2.1).
        ...(fresh && { max_age: '0' }),
      }).href;
    } catch (error) {
      throw this.refusalOf(error);
    }
  }

  /**
   * `answer` is the address that the browser came back to. Throws `auth_invalid` or `unavailable`.
   */
  async redeem(answer: URL, { state, nonce, verifier }: Secrets): Promise<Identification> {
    try {
      const configuration = await this.configuration();
      const tokens = await client.authorizationCodeGrant(configuration, answer, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
      });
      const claims = tokens.claims()!;
      const isTold = this.entry.claims.email in claims;
      return {
        idToken: tokens.id_token!,
        profile:
          isTold || configuration.serverMetadata().userinfo_endpoint === undefined
            ? {}
            : this.profileOf(
                await client.fetchUserInfo(configuration, tokens.access_token, claims.sub),
              ),
      };
    } catch (error) {
      throw this.refusalOf(error);
    }
  }

  /** Those claims that describe a person: none that says who it is, for whom, or until when. */
  private profileOf(userInfo: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const { email, name, role } = this.entry.claims;
    const names = [email, 'email_verified', name, ...(role === undefined ? [] : [role])];
    return Object.fromEntries(names.map((claim) => [claim, userInfo[claim]]));
  }

  private async configuration(): Promise<client.Configuration> {
    const metadata = await this.metadata.get();
    if (this.made?.metadata !== metadata)
      this.made = { metadata, configuration: this.configure(metadata) };
    return this.made.configuration;
  }

  private configure(metadata: Metadata): client.Configuration {
    const { client_id: id, sign_in: signIn, issuer } = this.entry;
    for (const name of ['authorization_endpoint', 'token_endpoint'] as const)
      if (metadata[name] === undefined) throw new IssuerUnavailable(`${issuer}: no ${name}`);
    const configuration = new client.Configuration(
      metadata as client.ServerMetadata,
      id,
      undefined,
      authentication(metadata, signIn.client_secret),
    );
    // http is refused in production (config-rules.ts).
    if (issuer.startsWith('http:')) client.allowInsecureRequests(configuration);
    configuration[client.customFetch] = (url, init) => this.source.fetch(url, init as RequestInit);
    return configuration;
  }

  private refusalOf(error: unknown): DomainError {
    const { issuer } = this.entry;
    const causes = causesOf(error);
    const message = causes.map(({ message: text }) => text).join(': ');
    if (isTheirTrouble(causes)) {
      this.logger.warn({ msg: 'an issuer could not be asked', issuer, error: message });
      return new DomainError('unavailable', { detail: message, cause: error });
    }
    return new DomainError('auth_invalid', { detail: message, cause: error });
  }
}

/** OpenID Connect Core 1.0, section 9: `client_secret_basic` is the rule. */
function authentication(
  { token_endpoint_auth_methods_supported: methods = ['client_secret_basic'] }: Metadata,
  secret: string | undefined,
): client.ClientAuth {
  if (secret === undefined) return client.None();
  return methods.includes('client_secret_basic')
    ? client.ClientSecretBasic(secret)
    : client.ClientSecretPost(secret);
}

/** Said by an issuer that is busy or broken, or that does not know us. */
const TROUBLE = new Set([
  'server_error',
  'temporarily_unavailable',
  'invalid_client',
  'unauthorized_client',
  'unsupported_response_type',
  'invalid_scope',
]);

const isTheirTrouble = (causes: Error[]): boolean =>
  causes.some(
    (cause) =>
      cause instanceof IssuerUnavailable ||
      // Our own credential was refused.
      cause instanceof client.WWWAuthenticateChallengeError ||
      ((cause instanceof client.ResponseBodyError ||
        cause instanceof client.AuthorizationResponseError) &&
        TROUBLE.has(cause.error)) ||
      ('code' in cause && cause.code === 'OAUTH_RESPONSE_IS_NOT_CONFORM'),
  );

function causesOf(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}
